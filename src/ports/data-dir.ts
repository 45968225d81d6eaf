// The data directory as a whole: its lock, its header, its free space.

/** What is known before unlock. Nothing here is secret; the keys in it are wrapped. */
export type Header = {
  readonly format: 1;
  readonly createdMs: number;
  readonly mode: 'phrase' | 'password';
  /** Account name in password mode, else empty. */
  readonly account: string;
  /** 16 bytes derived from the secret: tells a wrong secret from a right one. */
  readonly verify: Buffer;
  /** The two random keys of this directory, AES-SIV-wrapped. */
  readonly wrappedWrapKey: Buffer;
  readonly wrappedRowKey: Buffer;
};

/** What a look at the directory finds, without any key. */
export type DirReport = {
  readonly headers: readonly { readonly name: string; readonly state: 'good' | 'damaged' | 'missing' }[];
  /** Our own files and folders that others may read or write. */
  readonly openToOthers: readonly string[];
  readonly hasBallast: boolean;
  /** When something here was changed last, Unix milliseconds of the clock of that time. */
  readonly newestMs: number;
};

export interface DataDir {
  /** Takes the exclusive lock; DATA_DIR_IN_USE when another daemon has it. Freed by the kernel when the process dies. */
  lock(): Promise<void>;
  /**
   * Undefined = not initialised. A damaged or lost copy is replaced from a good one. INTEGRITY when all are damaged, or lost
   * in a directory that was used; INCOMPATIBLE for a newer format.
   */
  readHeader(): Promise<Header | undefined>;
  /** Writes all three copies durably; ALREADY_INITIALISED when there is one. */
  writeHeader(header: Header): Promise<void>;
  /** Bytes free on the file system, ballast not counted. */
  freeBytes(): Promise<number>;
  /** Bytes that the file system has in all. */
  totalBytes(): Promise<number>;
  inspect(): Promise<DirReport>;
  /** Makes again what a start makes: permissions and ballast. */
  tidy(): Promise<void>;
  close(): Promise<void>;
}
