// What can be found out and done about a damaged catalog (docs/storage-format.md, "Rebuilding the catalog").

import type { CatalogRecord } from '../core/records.ts';

/** What a catalog was put back from: state.bak, or nothing. */
export type CatalogSource = 'copy' | 'nothing';

/** A pack that the catalog counts on and that is not as it should be. */
export type PackDamage = {
  readonly store: 'own' | 'peers';
  readonly pack: number;
  readonly damage: 'missing' | 'short' | 'header';
  /** Cells that the catalog has in it. */
  readonly cells: number;
};

export type CatalogReport = {
  /** What is wrong with state.db, in a few lines; empty when it is sound. */
  readonly problems: readonly string[];
  /** Set while the rebuild of it is not over: the next unlock goes on. */
  readonly rebuiltFrom: CatalogSource | undefined;
  readonly copy: 'good' | 'damaged' | 'missing';
  /** When the copy was made, 0 without one. */
  readonly copyMs: number;
  /** Packs with a mark, and those of them that are damaged. Nothing is known about them without a catalog. */
  readonly packs: number;
  readonly damagedPacks: readonly PackDamage[];
};

export interface CatalogRepair {
  /** Looks at the catalog, its copy and the packs without any key; works when open() failed, too. */
  inspect(): Promise<CatalogReport>;
  /** Opens every sealed row and follows every list of cells, of the catalog and of its copy. Needs the row key. */
  verify(): Promise<{ readonly catalog: readonly string[]; readonly copy: readonly string[] }>;
  /**
   * Puts a catalog in the place of the damaged one, which is kept under another name, and opens it. `isCopyBad`: state.bak
   * was tried and does not do.
   */
  rebuild(isCopyBad: boolean): Promise<CatalogSource>;
  /** Undefined when no rebuild is under way. */
  rebuiltFrom(): Promise<CatalogSource | undefined>;
  /** A rebuild begins without rebuild(): packs are ahead of the catalog, as after the loss of its journal. */
  markRebuilt(): Promise<void>;
  /** Registers cells of other people that lie above the marks, for their owners to be found present; how many. */
  adoptHeldCells(wrapKey: Buffer): Promise<number>;
  /** Ends a rebuild in one transaction with these records. */
  endRebuild(puts: readonly CatalogRecord[]): Promise<void>;
}
