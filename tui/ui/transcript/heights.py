"""Heights of things that stand below each other: any height changes, any row is found, in O(log n)."""

from __future__ import annotations

from collections.abc import Iterable


class Heights:
    """A growing list of heights (rows) with prefix sums (a Fenwick tree)."""

    __slots__ = ("_tree", "_values", "total")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values = list(values)
        self._tree = [0, *self._values]
        self.total = sum(self._values)
        for i in range(1, len(self._tree)):
            parent = i + (i & -i)
            if parent < len(self._tree):
                self._tree[parent] += self._tree[i]

    def __len__(self) -> int:
        return len(self._values)

    def __getitem__(self, index: int) -> int:
        return self._values[index]

    def append(self, height: int) -> None:
        """Add one below all others."""
        self._values.append(height)
        i = len(self._values)
        low = i - (i & -i)
        self._tree.append(self.above(i) - self.above(low) if i - low > 1 else height)
        self.total += height

    def set(self, index: int, height: int) -> int:
        """Change one height; returns the difference."""
        change = height - self._values[index]
        if change:
            self._values[index] = height
            self.total += change
            i, size = index + 1, len(self._tree)
            while i < size:
                self._tree[i] += change
                i += i & -i
        return change

    def cut(self, length: int) -> None:
        """Keep only the first `length`. O(n)."""
        self.__init__(self._values[:length])  # type: ignore[misc]

    def above(self, index: int) -> int:
        """The sum of the heights before `index`."""
        total = 0
        index = min(index, len(self._tree) - 1)
        while index > 0:
            total += self._tree[index]
            index &= index - 1
        return total

    def find(self, row: int) -> tuple[int, int]:
        """Which of them `row` (from 0) falls into, and how far down in it. Past the end: the last one."""
        index, bit = 0, 1 << len(self._tree).bit_length()
        while bit:
            probe = index + bit
            if probe < len(self._tree) and self._tree[probe] <= row:
                index, row = probe, row - self._tree[probe]
            bit >>= 1
        if index >= len(self._values):
            return max(0, len(self._values) - 1), max(0, row)
        return index, row
