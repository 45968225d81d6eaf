// Log lines. At info and above there is no secret, file name, onion id or path.

export type LogFields = { readonly [name: string]: string | number | boolean | undefined };

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}
