// The part of YAML that docker/compose.yaml is written in: maps and lists by indentation, plain one-line scalars,
// comments on lines of their own, anchors of maps and "<<: *name". Everything else is an error, so that nothing is misread.

export type Yaml = string | readonly Yaml[] | { readonly [key: string]: Yaml };
type Line = { readonly indent: number; readonly text: string };

/** The document; throws with the line that is not of this part. */
export function parseYaml(source: string): Yaml {
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*(#.*)?$/.test(line))
    .map((line) => ({ indent: line.search(/\S/), text: line.trim() }));
  const anchors = new Map<string, Yaml>();
  const { value, next } = block(lines, 0, anchors);
  if (next !== lines.length) throw new Error(`wrong indentation: ${lines[next]?.text}`);
  return value;
}

/** The map or list that starts at line `from` and goes on as long as lines are indented like it. */
function block(lines: readonly Line[], from: number, anchors: Map<string, Yaml>): { value: Yaml; next: number } {
  const indent = lines[from]?.indent ?? 0;
  const isList = lines[from]?.text.startsWith('- ') === true;
  const items: Yaml[] = [];
  const map: Record<string, Yaml> = {};
  const merged: Record<string, Yaml> = {};
  let at = from;
  for (let line = lines[at]; line?.indent === indent; line = lines[at]) {
    if (line.text.startsWith('- ') !== isList) throw new Error(`a list and a map in one: ${line.text}`);
    if (isList) {
      const isMap = /^- [\w-]+: /.test(line.text);
      // "- key: value" is a map indented by the two characters of the dash.
      const inner = [{ indent: indent + 2, text: line.text.slice(2) }, ...lines.slice(at + 1)];
      const item = isMap ? block(inner, 0, anchors) : { value: scalar(line.text.slice(2)), next: 1 };
      items.push(item.value);
      at += item.next;
      continue;
    }
    const [, key, anchor, rest] = /^([\w<-]+):(?: &(\w+))?(?: (.+))?$/.exec(line.text) ?? [];
    if (key === undefined || Object.hasOwn(map, key)) throw new Error(`not one new key: ${line.text}`);
    const isParent = rest === undefined && (lines[at + 1]?.indent ?? 0) > indent;
    const child = isParent ? block(lines, at + 1, anchors) : { value: scalar(rest ?? ''), next: at + 1 };
    at = child.next;
    if (anchor !== undefined) anchors.set(anchor, child.value);
    if (key === '<<') Object.assign(merged, anchors.get((rest ?? '').slice(1)) ?? fail(line.text));
    else map[key] = child.value;
  }
  return { value: isList ? items : { ...merged, ...map }, next: at };
}

function scalar(text: string): string {
  if (/^[[{&!|>"'%@`]|: | #/.test(text) || (text.startsWith('*') && !/^\*\w+$/.test(text))) fail(text);
  return text;
}

function fail(text: string): never {
  throw new Error(`not in the part of YAML that this reads: ${text}`);
}
