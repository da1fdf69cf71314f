/** A program that a test starts and ends, such as the application beside Vestibule. */
export class Program {
  /** `start` makes them. */
  private constructor(...parts: never[]);
  /** Starts it, and waits until its output matches `ready`. Its environment is `PATH`, `HOME`, and what it is given. */
  static start(
    path: string,
    words: string[],
    options: { ready?: string | RegExp; env?: Record<string, string>; cwd?: string; input?: string },
  ): Promise<Program>;
  /** All that it has written. */
  readonly log: string;
  /** Ends it by this signal, or by force if that fails, and returns how it ended. */
  end(signal: NodeJS.Signals): Promise<number | string>;
}

/** Free ports of loopback. */
export function freePorts(count: number): Promise<number[]>;
