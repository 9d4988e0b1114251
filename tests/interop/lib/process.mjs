// Child processes and temporary files that never outlive a test: everything started here is ended and removed on any
// way out, and a deadline ends a test that hangs.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';

const children = new Set();
const directories = new Set();

export function make_temp_dir() {
  const dir = mkdtempSync(path.join(os.tmpdir(), 'ovl-'));
  directories.add(dir);
  return dir;
}

function clean_up() {
  for (const child of children) child.kill('SIGKILL');
  for (const dir of directories) rmSync(dir, { recursive: true, force: true });
  children.clear();
  directories.clear();
}
process.on('exit', clean_up);
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => process.exit(130));

// Starts a program. `stdout` and `stderr` collect, `ended` resolves to {code, signal}, `on_line` sees stdout by lines.
export function start(file, args, { on_line, env } = {}) {
  const child = spawn(file, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  children.add(child);
  const run = { child, stdout: '', stderr: '', lines: [] };
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    run.stdout += text;
    rest += text;
    const parts = rest.split('\n');
    rest = parts.pop();
    for (const line of parts) {
      run.lines.push(line);
      on_line?.(line);
    }
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (run.stderr += text));
  run.ended = new Promise((resolve) => {
    child.on('error', (error) => {
      children.delete(child);
      resolve({ code: 127, signal: null, error });
    });
    child.on('close', (code, signal) => {
      children.delete(child);
      resolve({ code, signal });
    });
  });
  return run;
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Rejects with `what` when the promise is not settled in time.
export function within(ms, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not within ${ms} ms: ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Asks every 25 ms until `probe` gives something truthy, which it returns.
export async function eventually(ms, what, probe) {
  const deadline = Date.now() + ms;
  for (;;) {
    const value = await probe();
    if (value) return value;
    if (Date.now() >= deadline) throw new Error(`not within ${ms} ms: ${what}`);
    await sleep(25);
  }
}

export function free_port() {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export function check(condition, what) {
  if (!condition) throw new Error(`expected: ${what}`);
}

export function check_equal(actual, expected, what) {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: expected ${b}, got ${a}`);
}

// Runs one test to its end: prints PASS or the failure with whatever `explain` adds, and leaves with 0 or 1.
export async function run_test(name, timeout_ms, body, explain = () => '') {
  try {
    await within(timeout_ms, `the whole of ${name}`, body());
    console.log(`PASS ${name}`);
    process.exit(0);
  } catch (error) {
    console.error(`FAIL ${name}: ${error.stack ?? error}`);
    console.error(explain());
    process.exit(1);
  }
}
