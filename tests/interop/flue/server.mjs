// The real Flue runtime with one agent, a scripted model behind it, and a log of what its tools really did.
//
//   MODEL_URL  the fake model's base URL       LOG  file to which tool calls are appended, one JSON object a line
//   DB         SQLite file; without it conversations are kept in memory
//   TOKEN      if set, every request must carry it as a bearer token
//   PORT       fixed port, for restarts; without it any free one
//
// Prints "READY <port>" and ends when its standard input is closed.
import { appendFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createProvider } from '@earendil-works/pi-ai';
import { openAICompletionsApi } from '@earendil-works/pi-ai/api/openai-completions.lazy';
import { defineTool, useModel, useTool } from '@flue/runtime';
import { sqlite, start } from '@flue/runtime/node';
import { createAgentRouter } from '@flue/runtime/routing';
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import * as v from 'valibot';

const note = (what, tool, tag) =>
  appendFileSync(process.env.LOG, `${JSON.stringify({ t: Date.now() / 1000, who: 'tool', what, tool, tag })}\n`);

const input = v.object({ seconds: v.number(), tag: v.string() });
const tool = (name, description, work) =>
  defineTool({
    name,
    description,
    input,
    async run({ data, signal }) {
      note('start', name, data.tag);
      try {
        await work(data.seconds, signal);
      } catch (error) {
        note('cut', name, data.tag);
        throw error;
      }
      note('end', name, data.tag);
      return { output: { waited: data.seconds } };
    },
  });

const slow = tool('slow_tool', 'Waits, and listens to the abort.', (s, signal) => sleep(s * 1000, undefined, { signal }));
const deaf = tool('deaf_tool', 'Waits, and does not listen to the abort.', (s) => sleep(s * 1000));

export function Worker() {
  useModel('fake/scripted');
  useTool(slow);
  useTool(deaf);
  return 'Do as you are told.';
}

const fake = createProvider({
  id: 'fake',
  auth: { apiKey: { name: 'none', resolve: async () => ({ auth: { apiKey: 'none' } }) } },
  models: [
    {
      id: 'scripted',
      name: 'scripted',
      api: 'openai-completions',
      provider: 'fake',
      baseUrl: process.env.MODEL_URL,
      reasoning: true,
      input: ['text'],
      cost: { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 },
      contextWindow: 128000,
      maxTokens: 8192,
    },
  ],
  api: openAICompletionsApi(),
});

await start({ agents: [Worker], providers: [fake], ...(process.env.DB ? { db: sqlite(process.env.DB) } : {}) });

const app = new Hono();
app.use(async (c, next) => {
  const token = process.env.TOKEN;
  if (token && c.req.header('authorization') !== `Bearer ${token}`) return c.json({ error: 'unauthorized' }, 401);
  await next();
});
app.route('/agents/worker', createAgentRouter(Worker));

const port = Number(process.env.PORT ?? 0);
serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => console.log(`READY ${address.port}`));
process.stdin.on('end', () => process.exit(0)).resume();
