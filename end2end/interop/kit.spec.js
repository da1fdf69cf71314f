// The kit, as an application has it: packed, unpacked beside Playwright, and imported by tests of the application.

import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test as base } from '@playwright/test';
import { chromium } from '../support/chromium.js';

const execute = promisify(execFile);
const here = (file) => fileURLToPath(new URL(file, import.meta.url));

// What an application's tests are told: where the program and its site are, and no setting of a server.
const NAMES = ['PATH', 'HOME', 'VESTIBULE_BIN', 'LEPTOS_SITE_ROOT'];
const env = {
  VESTIBULE_BIN: here('../../target/debug/vestibule'),
  LEPTOS_SITE_ROOT: here('../../target/site'),
  ...Object.fromEntries(NAMES.filter((name) => process.env[name]).map((name) => [name, process.env[name]])),
};

const CONFIG = `export default {
  testDir: '.',
  testMatch: '*.spec.js',
  workers: 1,
  timeout: 60_000,
  expect: { timeout: 2_000 },
  use: { launchOptions: ${JSON.stringify(chromium)}, locale: 'en-GB' },
};
`;

/** The first test that the documentation shows. */
async function documented() {
  const text = await readFile(here('../../docs/TESTING.md'), 'utf8');
  return /```js\n(.*?)```/s.exec(text)[1];
}

class Application {
  /** An application in a folder of its own, with the kit as it is packed, and Playwright. */
  static async create() {
    const application = new Application();
    const folder = await mkdtemp(path.join(tmpdir(), 'vestibule-kit-'));
    application.folder = folder;
    const { stdout } = await execute('npm', ['pack', '--json', '--pack-destination', folder], { cwd: here('../kit') });
    [application.packed] = JSON.parse(stdout);
    await execute('tar', ['-xzf', application.packed.filename], { cwd: folder });
    const packages = path.join(folder, 'node_modules');
    await mkdir(path.join(packages, '@vestibule'), { recursive: true });
    await rename(path.join(folder, 'package'), path.join(packages, '@vestibule/playwright'));
    for (const name of ['@playwright', 'playwright', 'playwright-core']) {
      await symlink(here(`../node_modules/${name}`), path.join(packages, name));
    }
    await writeFile(path.join(folder, 'package.json'), '{ "type": "module" }');
    await writeFile(path.join(folder, 'playwright.config.js'), CONFIG);
    return application;
  }

  /** Runs the tests of one file; returns each with its title, its status and its time, and all that was printed. */
  async run(file) {
    const report = path.join(this.folder, 'report.json');
    const words = ['node_modules/@playwright/test/cli.js', 'test', file, '--reporter=list,json'];
    const options = { cwd: this.folder, env: { ...env, PLAYWRIGHT_JSON_OUTPUT_NAME: report } };
    const printed = await execute(process.execPath, words, options).catch((error) => error);
    const { suites } = JSON.parse(await readFile(report, 'utf8'));
    const specs = ({ specs: own, suites: inner = [] }) => [...own, ...inner.flatMap(specs)];
    const tests = suites.flatMap(specs).map(({ title, tests: [{ results: [result], annotations }] }) => ({
      title,
      status: result.status,
      time: result.duration,
      errors: result.errors.map(({ message }) => message).join('\n'),
      annotations: result.annotations ?? annotations,
    }));
    return { tests, printed: printed.stdout };
  }

  stop() {
    return rm(this.folder, { recursive: true, force: true });
  }
}

const test = base.extend({
  application: async ({}, use) => {
    const application = await Application.create();
    await use(application);
    await application.stop();
  },
});

test('what is packed is the kit and nothing else, in the version of the server', async ({ application }) => {
  const manifest = JSON.parse(await readFile(here('../kit/package.json'), 'utf8'));
  const files = application.packed.files.map((file) => file.path);
  expect(files.sort()).toEqual(['README.md', 'package.json', ...manifest.files].sort());
  const workspace = await readFile(here('../../Cargo.toml'), 'utf8');
  expect(manifest.version).toBe(/^version = "(.*)"$/m.exec(workspace)[1]);
});

test('an application tests its sign-ins with it', async ({ application }) => {
  const expired = await documented();
  expect(expired.match(/^test\(.*^\}\);$/ms)[0].split('\n').length, 'the lines of "link expired"').toBeLessThanOrEqual(10);
  await copyFile(here('adopter/fixtures.js'), path.join(application.folder, 'application.spec.js'));
  const own = await readFile(path.join(application.folder, 'application.spec.js'), 'utf8');
  // Behind the others, when the browser has started.
  await writeFile(path.join(application.folder, 'application.spec.js'), own + expired.replace(/^import.*\n/m, ''));
  const { tests, printed } = await application.run('application.spec.js');
  expect(tests.filter(({ status }) => status !== 'passed'), printed).toEqual([]);
  const linkExpired = tests.find(({ title }) => title === 'link expired');
  const { annotations } = tests.find(({ title }) => title === 'twenty sign-ins');
  const median = Number(annotations.find(({ type }) => type === 'median').description);
  console.log(`    "link expired" takes ${linkExpired.time} ms; a signIn ${median.toFixed(1)} ms (median of 20)`);
  // Far more than it takes, for a busy machine.
  expect(linkExpired.time).toBeLessThan(10_000);
  expect(median).toBeLessThan(500);
});

test("a failure shows the server's log, and a server that ends as it should not is one", async ({ application }) => {
  await copyFile(here('adopter/failures.js'), path.join(application.folder, 'failures.spec.js'));
  const { tests, printed } = await application.run('failures.spec.js');
  expect(tests.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
  const [failed, died, refused] = tests;
  expect(failed.errors).toContain('elsewhere');
  expect(printed).toContain('--- the server\'s log in "a failure shows the log":');
  expect(printed).toContain('listening on http://127.0.0.1:');
  expect(died.errors).toContain('how the server ended');
  expect(refused.errors).toContain('CONFIRM_DEADLINE: not a time with its unit');
});
