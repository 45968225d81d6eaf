// A stored name as it is typed: UTF-8, without the slash that a shell completes behind a folder. The daemon judges the rest.

export function storedName(typed: string): Buffer {
  const name = typed.length > 1 ? typed.replace(/\/+$/, '') : typed;
  return Buffer.from(name, 'utf8');
}
