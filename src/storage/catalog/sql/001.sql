-- The first catalog. Numbers (num) are local and mean nothing outside; tags are keyed MACs, so that a locked disk names
-- neither peers nor content. AUTOINCREMENT: a number is never used again, because packed pages refer to it.

CREATE TABLE header (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  value BLOB NOT NULL
) STRICT;

-- Few, small, all read at unlock. value = sealed row (XChaCha20-Poly1305).
CREATE TABLE sealed (
  id BLOB PRIMARY KEY,
  kind TEXT NOT NULL,
  version INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT;

-- How many slots of a pack are valid. store: 1 own, 2 peers.
CREATE TABLE mark (
  store INTEGER NOT NULL,
  pack INTEGER NOT NULL,
  slots INTEGER NOT NULL,
  PRIMARY KEY (store, pack)
) STRICT, WITHOUT ROWID;

CREATE TABLE peer (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  tag BLOB NOT NULL UNIQUE
) STRICT;

-- Own cells: of any revision that is still kept.
CREATE TABLE cell (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  cell_id BLOB NOT NULL UNIQUE,
  kind INTEGER NOT NULL,
  pack INTEGER NOT NULL,
  slot INTEGER NOT NULL
) STRICT;

CREATE TABLE chunk (
  chunk_id BLOB PRIMARY KEY,
  cell INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- description and metadata are sealed; heads = packed positions of both head copies; head_leaves is sealed, or empty.
CREATE TABLE revision (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  tag BLOB NOT NULL UNIQUE,
  description BLOB NOT NULL,
  metadata BLOB NOT NULL,
  heads BLOB NOT NULL,
  head_leaves BLOB NOT NULL
) STRICT;

-- cells = cell numbers of index and data cells in blob order, u32 big-endian, 1024 to a page, then 8 bytes of their SHA-256.
CREATE TABLE revision_page (
  list INTEGER NOT NULL,
  page INTEGER NOT NULL,
  cells BLOB NOT NULL,
  PRIMARY KEY (list, page)
) STRICT;

-- Leaves of own cells as sealed for a peer, by cell number, 1024 to a page, sealed; 32 zero bytes = not known.
CREATE TABLE leaf_page (
  peer INTEGER NOT NULL,
  page INTEGER NOT NULL,
  leaves BLOB NOT NULL,
  PRIMARY KEY (peer, page)
) STRICT;

-- Lists of what is held for others. cells of a page = numbers of held_cell; leaves = sealed.
CREATE TABLE held_list (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  peer INTEGER NOT NULL,
  cells INTEGER NOT NULL
) STRICT;

CREATE TABLE held_page (
  list INTEGER NOT NULL,
  page INTEGER NOT NULL,
  cells BLOB NOT NULL,
  leaves BLOB NOT NULL,
  PRIMARY KEY (list, page)
) STRICT;

-- pack is NULL while the cell is not on disk.
CREATE TABLE held_cell (
  num INTEGER PRIMARY KEY AUTOINCREMENT,
  peer INTEGER NOT NULL,
  tag BLOB NOT NULL,
  pack INTEGER,
  slot INTEGER,
  UNIQUE (peer, tag)
) STRICT;

CREATE INDEX held_missing ON held_cell (peer) WHERE pack IS NULL;
CREATE INDEX held_pack ON held_cell (pack) WHERE pack IS NOT NULL;
