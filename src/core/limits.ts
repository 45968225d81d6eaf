// Every bound of the system in one place; docs/limits.md says why each is what it is.
// Units are the last word of a name.

/** Plaintext and sealed size of a cell: the unit of storage, transfer and repair. */
export const CELL_BYTES = 131_072;
export const CELL_LOG2 = 17;

export const CHUNK_MIN_BYTES = 8 * 1024;
export const CHUNK_AVG_BYTES = 32 * 1024;
/** A cell less its directory of one chunk (2 + 7 bytes): a raw chunk always fits one cell. */
export const CHUNK_MAX_BYTES = 131_063;
export const INDEX_CHUNK_MIN_BYTES = 2 * 1024;
export const INDEX_CHUNK_AVG_BYTES = 8 * 1024;
export const INDEX_CHUNK_MAX_BYTES = 32 * 1024;
export const PACKER_QUEUE_CHUNKS = 8;
export const INDEX_ROOT_CHUNKS = 512;

export const CONTENT_BYTES = 64 * 1024 ** 3;
export const CONTENT_CELLS = CONTENT_BYTES / CELL_BYTES;
export const FILES = 1_000_000;
export const PATH_BYTES = 4096;
export const PATH_COMPONENT_BYTES = 255;
export const METADATA_BYTES = 1024 * 1024;
export const METADATA_SEGMENT_BYTES = 64 * 1024;
export const ANCESTORS = 4096;
/** Finished generations: completed recoveries. */
export const GENERATIONS = 4096;
/** A name or canonical terms inside Metadata. */
export const METADATA_TEXT_BYTES = 1024;
export const PEERS = 256;

/** Cells between disk, worker and network at any moment, per job. */
export const CELLS_IN_FLIGHT = 16;

export const PACK_BYTES = 256 * 1024 * 1024;
export const PACK_HEADER_BYTES = 4096;
export const PACK_TRAILER_BYTES = 96;
export const PACK_SLOT_BYTES = CELL_BYTES + PACK_TRAILER_BYTES;
export const PACK_SLOTS = 2046;
export const BALLAST_BYTES = 16 * 1024 * 1024;
/** Part of the file system that no new promise may fill. */
export const DISK_RESERVE_PERMILLE = 50;
/** Pack files that one reader keeps open. */
export const OPEN_PACKS = 64;
/** A pack is rewritten when less than this part of it is needed ... */
export const PACK_NEEDED_PERCENT = 50;
/** ... and so many of its cells are not. */
export const PACK_DEAD_CELLS = 16;
/** Cells that one run of the rewriting copies. */
export const REWRITE_RUN_CELLS = 512;

export const RPC_REQUEST_BYTES = 64 * 1024;
/** Cells that are read for peers at the same time, besides one for each of them. */
export const SERVED_CELLS = 16;
export const DOWNLOAD_SECTION_BYTES = 64 * 1024;
export const RPC_MESSAGE_BYTES = DOWNLOAD_SECTION_BYTES + 1024;
export const LEAVES_PER_SECTION = 2048;
/** Leaves of an own blob that are read and hashed between two turns of the event loop. */
export const LEAVES_PER_READ = 8192;
/** Own blobs whose tree root is remembered: per peer what it acknowledged and what it is offered. */
export const OWN_BLOBS = 512;
/** Fields of one message from a peer, nested ones included: 64 KiB could hold 32,000 and cost their decoding. */
export const MESSAGE_FIELDS = 4096;
/** Superseded revisions in one report: the thinning rule of the hold leaves fewer than 24 + 90. */
export const OLDER_REVISIONS = 256;
/** Canonical contract terms; version 1 has far fewer. */
export const TERMS_BYTES = 1024;
/** The word that says why a proposal was rejected. */
export const REASON_BYTES = 256;
/** A blob is content and two copies of a head of at most 9 cells. */
export const BLOB_CELLS = CONTENT_CELLS + 18;
/** Two heads and the index cell that even an empty content has. */
export const MIN_BLOB_CELLS = 3;
/** Messages on the local socket; bytes of files travel in smaller pieces. */
export const LOCAL_MESSAGE_BYTES = 1024 * 1024;
export const LOCAL_DATA_BYTES = 64 * 1024;
/** Entries in one message of a file listing; a path has 4 KiB at most. */
export const LOCAL_LIST_BYTES = 256 * 1024;
/** The longest path of a Unix socket that the system takes (sun_path less its final zero). */
export const SOCKET_PATH_BYTES = 107;
export const PEER_EXCHANGE_PEERS = 64;
export const PEER_EXCHANGE_UNKNOWN_PEERS = 8;

export const HTTP2_STREAMS = 16;
export const HTTP2_HEADER_BYTES = 8 * 1024;
export const HTTP2_SESSION_MIB = 4;
export const HTTP2_NEW_STREAMS_PER_SECOND = 20;
export const HTTP2_RESETS_PER_MINUTE = 100;
export const HTTP2_REQUEST_PIECES = 256;
export const HTTP2_REQUEST_BYTES = 256 * 1024;
export const SILENT_CONNECTIONS = 2048;
export const WAITING_HELLOS = 256;
export const HANDSHAKES_PER_SECOND = 50;
export const HALF_OPEN_HANDSHAKES = 256;
export const UNKNOWN_SESSIONS = 32;
export const UNKNOWN_CALLS_PER_MINUTE = 10;
export const CONTRACT_CALLS_PER_MINUTE = 120;
/** Callers whose call rate is remembered; the one that was silent longest is forgotten first. */
export const QUOTA_PEERS = 1024;
export const DOWNLOADS_PER_PEER = 16;
export const RECOVERY_REQUESTS = 32;
export const BULK_LANES = 4;
/** Circuits tried before a peer counts as unreachable. */
export const CONNECT_ATTEMPTS = 2;
/** HTTP/2 receive window of a client channel: throughput is about window / 2 per round trip. */
export const FLOW_WINDOW_BYTES = 8 * 1024 * 1024;

export const CHALLENGE_BLOCK_BYTES = 4096;
export const CHALLENGE_BLOCKS = 512;
export const CHALLENGE_FIRST_BLOCKS = 64;
export const CHALLENGE_MAX_BLOCKS = 1024;
export const CHALLENGE_RANGES = 8;
export const CHALLENGE_RANGE_CELLS = 256;
/** So many challenges sweep a whole blob, however large. */
export const CHALLENGE_SWEEP_PARTS = 30;
/** Two head copies of the largest Metadata, asked beside the sweep. */
export const CHALLENGE_HEAD_CELLS = 18;
/** Challenges a peer may ask at once; refilled one per `challengeRefill`. */
export const CHALLENGE_BUCKET = 4;
/** Blobs of at most so many blocks are read whole instead of sampled. */
export const CHALLENGE_WHOLE_BLOCKS = 1024;

export const MIN_REPLICAS_DEFAULT = 3;
export const MIN_REPLICAS_MAX = 32;
/** With fewer copies than so many left a default is repaired at once. */
export const URGENT_REPLICAS = 2;
/** So many storers are taken as they come; of more, this part may be young, and this part come through one introducer. */
export const SMALL_SET = 4;
export const YOUNG_SHARE = 1 / 2;
export const INTRODUCER_SHARE = 1 / 3;
/** What is offered for a copy: so many times its size, and at least so much, so that it can grow. */
export const OFFER_GROWTH = 2;
export const OFFER_MIN_BYTES = 64 * 1024 ** 2;
/** Candidates that are asked one after the other before the search rests. */
export const SEEK_TRIES = 4;
/** Addresses that nobody was reached at yet and that are dialled within an hour. */
export const HINT_DIALS_PER_HOUR = 10;
/** So that 20 GiB can be promised: a twentieth is kept back. */
export const STORAGE_LIMIT_DEFAULT_BYTES = 25 * 1024 ** 3;
export const KEPT_LIST_ENTRY_BYTES = 48;
/** Part of the storage limit that is never promised. */
export const STORAGE_RESERVE_PERMILLE = 50;
/** Part of the storage limit that strangers may have together, and bytes that one may have. */
export const STRANGERS_PERMILLE = 200;
export const STRANGER_BYTES = 256 * 1024 ** 2;
/** A proposal that takes more than so many times what it gives needs a person. */
export const TERMS_RATIO = 2;
/** Less than so much in one direction holds nothing useful; 0 is a contract of one direction. */
export const TERMS_MIN_BYTES = 8 * CELL_BYTES;
/** Less than so much in one direction is soon used up by older revisions; the user is told when it is proposed. */
export const TERMS_ROOM_BYTES = 128 * CELL_BYTES;
/** Proposals that wait for a person; further peers are told to come again. */
export const PENDING_PROPOSALS = 32;
/** Steps of a contract that are kept to be shown. */
export const CONTRACT_TRANSITIONS = 64;
export const PARALLEL_UPLOADS = 2;
export const REVISIONS_PER_DAY = 48;
/** How often one cell of an open upload is served. */
export const UPLOAD_SERVINGS = 3;
/** Part of a replica, and at least so many cells, that is served for repair per `repairAllowance`. */
export const REPAIR_PERMILLE = 10;
export const REPAIR_CELLS = 8;
/** Cells that are read at least at each step of the background reading. */
export const SCRUB_STEP_CELLS = 16;
/** Lost cells that one repair of a held copy asks for before it looks again. */
export const REPAIR_ROUND_CELLS = 1024;
/** Holders, or this part of the listed contract peers, that must answer before a restore starts. */
export const FRESH_HOLDERS = 5;
export const FRESH_PERCENT = 80;
export const EVENT_BACKLOG = 1024;
/** Events that are kept for whoever asks later; none of progress, and none of before the last lock. */
export const EVENT_HISTORY = 256;
export const EVENT_SUBSCRIBERS = 32;

/** A phrase or password, normalised. */
export const SECRET_BYTES = 1024;
export const PASSWORD_JUDGED_CHARACTERS = 128;
/** A peer's certificate; ours has about 200 bytes. */
export const CERTIFICATE_BYTES = 4096;

/** One entry of the file table: its largest part is the chunk list of a 64 GiB file (16 bytes per 8 KiB). */
export const ENTRY_BYTES = 160 * 1024 * 1024;
export const ENTRY_NAME_BYTES = 255;
export const ENTRY_XATTRS = 1024;
export const XATTR_VALUE_BYTES = 64 * 1024;
export const ENTRY_HOLES = 65_536;
export const ENTRY_EXTENSIONS = 64;
/** One record of the index stream: a cell full of the smallest chunks, or a snapshot with 512 chunk ids. */
export const INDEX_RECORD_BYTES = 1024 * 1024;
export const ROOT_LEVELS = 8;
/** One line and one whole reply of tor's control port, and commands waiting for it. */
export const CONTROL_LINE_BYTES = 16 * 1024;
export const CONTROL_REPLY_BYTES = 1024 * 1024;
export const CONTROL_QUEUE_COMMANDS = 64;
/** HTTP/2 streams are multiplexed, so one rendezvous circuit needs one stream per channel. */
export const ONION_STREAMS = 32;
/** What is kept of tor's own output, to explain why it ended. */
export const TOR_LOG_TAIL_BYTES = 16 * 1024;

/** A contract peer has one control channel, its bulk lanes, and for a moment those that they replace. */
export const SESSIONS_PER_PEER = 2 * (1 + BULK_LANES);

/** Cells that one download stream fetches before its lane asks for more work. */
export const LANE_RUN_CELLS = 32;
export const FETCH_AHEAD_PERMILLE = 30;
export const FETCH_AHEAD_CELLS = 16;
/** Missing cells that are planned at a time, so that memory does not grow with the blob. */
export const PULL_WINDOW_CELLS = 8192;
/** Answers of an owner that cannot become what it offered, before its offer is let go. */
export const PULL_FAULTS = 4;
/** Lanes to each holder while content is restored; RECOVERY_REQUESTS bounds all of them together. */
export const LANES_PER_HOLDER = 4;
export const RESTORE_SOURCES = 8;
/** Cells of a recovery that a crash may cost: they are fetched again. */
export const RECOVERY_SAVE_CELLS = 64;
/** Names of unrecoverable files that are shown; the count is exact. */
export const MISSING_NAMES = 100;
/** Sparse cells that one revision gives up: so many, or this part of its cells if that is more. */
export const COMPACTED_CELLS = 2;
export const COMPACTED_PERCENT = 5;
