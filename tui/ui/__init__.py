"""The Textual shell: draws state and forwards intent; decides nothing about runs."""
