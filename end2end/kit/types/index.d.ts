import type {
  BrowserContext,
  Fixtures,
  Page,
  PlaywrightTestArgs,
  PlaywrightTestOptions,
  PlaywrightWorkerArgs,
  PlaywrightWorkerOptions,
  TestInfo,
  TestType,
} from '@playwright/test';

export { expect } from '@playwright/test';

/** Who signs in. Without an issuer it is practice mode's own. */
export interface Identity {
  subject: string;
  issuer?: string;
  name?: string;
  email?: string;
}

/** A user as Vestibule knows them. */
export interface User {
  id: string;
  issuer: string;
  subject: string;
  name: string | null;
  email: string | null;
}

/** What the validator says of a token: in its answer, or by calling back. */
export interface Verdict {
  verdict?: 'valid' | 'invalid' | 'pending';
  /** Whose a valid token is; Ada Lovelace's without one. */
  identity?: Identity & { issuer: string };
  reason?: 'invalid' | 'expired' | 'used';
  /** The path to which the sign-in leads. */
  redirect?: string;
  step?: 'received' | 'reviewing' | 'almost';
}

/** One answer of the validator. Times are such as `1500ms`, `2s` or `20m`. */
export interface Answer extends Verdict {
  /** How long it takes. */
  after?: string;
  /** A status and no more, from 200 to 599; 202 is "later". */
  status?: number;
  /** `Retry-After`, in seconds. */
  retry_after?: number;
  /** After how long it calls back. */
  callback_after?: string;
}

/** A mail that practice mode has kept. */
export interface Mail {
  id: number;
  to: string;
  subject: string;
  text: string;
  link: string | null;
  code: string | null;
}

/** A sign-in that has begun. */
export interface Confirmation {
  id: string;
  step: 'queued' | 'contacting' | 'retrying' | 'later' | 'decided';
  attempt: number | null;
  stage: string | null;
  begun_at: string;
  deadline: string;
  due_at: string | null;
  lease_until: string | null;
  ending: 'confirmed' | 'invalid' | 'expired' | 'used' | 'cancelled' | 'unavailable' | null;
  user: string | null;
  decided_at: string | null;
  /** How often the validator was asked. */
  asked: number;
}

/** A cookie as `addCookies` takes it. */
export type Cookie = Parameters<BrowserContext['addCookies']>[0][number];

/** A link of the validator's. */
export interface Link {
  token: string;
  /** On the host of Vestibule. */
  path: string;
  url: string;
  /** What the validator answers, one for each question, and the last one from then on. */
  answers(...answers: Answer[]): Promise<void>;
  confirmations(): Promise<Confirmation[]>;
}

/** The control of practice mode. */
export class Control {
  constructor(url: string);
  readonly url: string;
  script(token: string, answers: Answer[]): Promise<void>;
  mails(address?: string): Promise<Mail[]>;
  confirmations(token?: string): Promise<Confirmation[]>;
  advance(time: string): Promise<Date>;
  signIn(identity: Identity): Promise<{ cookies: Cookie[]; user: User }>;
}

/** Vestibule's settings, as environment variables. */
export type Settings = Record<string, string>;

/** A running Vestibule. */
export class Server {
  /** `start` makes them. */
  private constructor(...parts: never[]);
  static start(settings?: Settings, options?: { binary?: string; base?: string }): Promise<Server>;
  /** The folder of its data. */
  readonly folder: string;
  /** All of its settings. */
  readonly environment: Settings;
  readonly log: string;
  /** Where it listens. */
  readonly url: string;
  /** Its address as browsers see it. */
  readonly publicUrl: string;
  readonly control: Control;
  /** Ends it and starts it again at the same address, with the same data. */
  restart(signal?: NodeJS.Signals, between?: () => void | Promise<void>): Promise<void>;
  /** Runs one of its commands beside it. */
  command(words: string[], stdin?: string): Promise<{ code: number; stdout: string; stderr: string }>;
  addUser(user: { email: string; name: string; password: string }): Promise<string>;
  /** How it ended: 0, or another exit code or a signal. */
  stop(): Promise<number | string>;
}

export interface VestibuleFixtures {
  settings: Settings;
  vestibule: Server;
  signIn(identity: Identity, context?: BrowserContext): Promise<User>;
  link(token?: string): Link;
  nextMail(address: string, options?: { subject?: string }): Promise<Mail>;
  expectSignedIn(page: Page, user?: Partial<User>): Promise<void>;
  advance(time: string): Promise<Date>;
}

export const fixtures: Fixtures<VestibuleFixtures, {}, PlaywrightTestArgs & PlaywrightTestOptions>;

export const test: TestType<
  PlaywrightTestArgs & PlaywrightTestOptions & VestibuleFixtures,
  PlaywrightWorkerArgs & PlaywrightWorkerOptions
>;

/** Lends a running server to a fixture, and checks that it ends as it should. */
export function serve(
  server: Server,
  use: (server: Server) => Promise<void>,
  testInfo: TestInfo,
  beforeStop?: () => void,
): Promise<void>;

/** Saves the cookies and the storage of a context in a file that only its owner can read, and returns them. */
export function saveStorageState(
  context: BrowserContext,
  path: string,
): Promise<Awaited<ReturnType<BrowserContext['storageState']>>>;
