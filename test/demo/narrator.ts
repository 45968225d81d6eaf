// The voice of the demo: one line per step on standard output, with the seconds since the start.

export class Narrator {
  readonly #startMs = performance.now();

  get seconds(): number {
    return (performance.now() - this.#startMs) / 1000;
  }

  chapter(title: string): void {
    console.log(`\n${title}`);
  }

  say(text: string): void {
    console.log(`  ${this.seconds.toFixed(1).padStart(6)} s  ${text}`);
  }
}

export function humanBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  const units = ['KiB', 'MiB', 'GiB'];
  let value = bytes / 1024;
  let at = 0;
  while (value >= 1024 && at < units.length - 1) {
    value /= 1024;
    at += 1;
  }
  return `${value.toFixed(1)} ${units[at]}`;
}
