"""What a configuration needs in production, part by part, in RAM and on disk."""

from dataclasses import dataclass

PARTS = ("vectors", "graph", "bookkeeping", "originals", "rescoring")
"""The names of parts, in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes of one part of an index.

    Attributes
    ----------
    name : str
        One of `PARTS`. "vectors": the codes that are searched. "graph": links, lists, codebooks,
        keys. "bookkeeping": what the engine takes beyond both, such as tables of keys and rounding
        up. "originals": vectors that the engine keeps beside the codes whether or not they are
        read. "rescoring": the full-dimension copy that is there for rescoring alone.
    ram, disk : float
        Bytes, replicas included.
    """

    name: str
    ram: float = 0.0
    disk: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that an index and what rescoring reads need.

    Attributes
    ----------
    parts : tuple of Part
        In the order of `PARTS`; a part that an engine does not have is left out.
    ram_built : float, optional
        RAM of the process that has just built the index, where it is known to differ from that of
        one that has loaded it.
    shards : int
        Pieces that the vectors have to be split into, because an index of this engine ends there.
    """

    parts: tuple[Part, ...]
    ram_built: float | None = None
    shards: int = 1

    @property
    def ram(self) -> float:
        """Bytes resident while the index serves."""
        return sum(part.ram for part in self.parts)

    @property
    def disk(self) -> float:
        """Bytes of the files."""
        return sum(part.disk for part in self.parts)

    def times(self, copies: int) -> "Memory":
        """Give the memory of several copies."""
        return Memory(
            tuple(Part(part.name, copies * part.ram, copies * part.disk) for part in self.parts),
            None if self.ram_built is None else copies * self.ram_built,
            self.shards,
        )
