// Checks of plain data read back from a sealed row. A shape lists every field; fields it does not know are left out,
// a wrong one, or a missing one without a value for that case, names itself.

export type Shape<T> = (value: unknown) => T;

/** Says which field is wrong; the caller turns it into an INTEGRITY error that names the row. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError';
}

export const text: Shape<string> = (value) => (typeof value === 'string' ? value : fail('a text'));
export const flag: Shape<boolean> = (value) => (typeof value === 'boolean' ? value : fail('a flag'));
export const bytes: Shape<Buffer> = (value) => (Buffer.isBuffer(value) ? value : fail('bytes'));
/** A zero with a sign is zero: JSON reads it and does not write it. */
export const number: Shape<number> = (value) =>
  typeof value === 'number' && Number.isFinite(value) ? value + 0 : fail('a number');
export const integer: Shape<number> = (value) =>
  typeof value === 'number' && Number.isSafeInteger(value) ? value + 0 : fail('an integer');

/** A field that a row may lack: because there is nothing to say, or because the row is older than the field. */
export function optionalWith<T, A>(shape: Shape<T>, absent: A): Shape<T | A> {
  return (value) => (value === undefined ? absent : shape(value));
}

export function list<T>(shape: Shape<T>): Shape<readonly T[]> {
  return (value) => (Array.isArray(value) ? value.map((item) => shape(item)) : fail('a list'));
}

export function oneOf<T extends string>(...words: readonly T[]): Shape<T> {
  return (value) => words.find((word) => word === value) ?? fail(words.join(' or '));
}

export function object<T extends object>(shapes: { readonly [K in keyof T]: Shape<T[K]> }): Shape<T> {
  return (value) => {
    if (typeof value !== 'object' || value === null) return fail('an object');
    const fields = new Map(Object.entries(value));
    const out: Partial<T> = {};
    for (const name of Object.keys(shapes) as (keyof T & string)[]) {
      try {
        out[name] = shapes[name](fields.get(name));
      } catch (error) {
        throw error instanceof ShapeError ? new ShapeError(`${name}: ${error.message}`) : error;
      }
    }
    return out as T;
  };
}

function fail(wanted: string): never {
  throw new ShapeError(`not ${wanted}`);
}
