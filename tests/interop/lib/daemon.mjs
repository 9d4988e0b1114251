// One overlayd in a temporary directory, and overlayctl bound to its sockets. OVERLAYD_BIN names the folder of both.
import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { network_id, make_identity } from './identity.mjs';
import { check, check_equal, eventually, free_port, make_temp_dir, start, within } from './process.mjs';
import { node_id_text, seed_text } from './strkey.mjs';

export const PASSPHRASE = 'overlayd interop network';
export const NETWORK_ID = network_id(PASSPHRASE);

const BIN = process.env.OVERLAYD_BIN ?? path.resolve('build/bin');
const running = [];

// What the daemons of this test logged: for the message of a failed test.
export const logs = () =>
  running.map((d) => `--- overlayd ${d.port}\n${d.run.stderr}${d.run.stdout}`.slice(-6000)).join('\n');

export async function start_daemon({ known = [], relay = 'consensus' } = {}) {
  const dir = make_temp_dir();
  const identity = make_identity();
  const port = await free_port();
  const file = (name) => path.join(dir, name);
  writeFileSync(file('seed'), seed_text(identity.seed) + '\n', { mode: 0o600 });
  chmodSync(file('seed'), 0o600);
  const text = JSON.stringify; // a JSON string is a TOML basic string
  writeFileSync(
    file('overlayd.toml'),
    `[node]\nseed_file = ${text(file('seed'))}\n` +
      `[network]\npreset = "standalone"\npassphrase = ${text(PASSPHRASE)}\n` +
      `[listen]\naddress = "127.0.0.1"\nport = ${port}\n` +
      `[peers]\nknown = ${text(known)}\nallow_private = true\n` +
      `[ipc]\nsocket = ${text(file('overlay.sock'))}\nadmin_socket = ${text(file('admin.sock'))}\n` +
      `[storage]\ndatabase = ${text(file('peers.db'))}\n[relay]\nmode = ${text(relay)}\n[log]\nlevel = "debug"\n`,
  );
  const run = start(path.join(BIN, 'overlayd'), ['--config', file('overlayd.toml')]);
  const daemon = { dir, file, port, identity, run, node_id: node_id_text(identity.public_key) };
  running.push(daemon);
  daemon.start_ctl = (args, options) =>
    start(
      path.join(BIN, 'overlayctl'),
      ['--socket', file('overlay.sock'), '--admin-socket', file('admin.sock'), ...args],
      options,
    );
  daemon.ctl = async (...args) => {
    const ctl = daemon.start_ctl(args);
    const { code } = await within(30_000, `overlayctl ${args[0]}`, ctl.ended);
    if (code !== 0) throw new Error(`overlayctl ${args.join(' ')} left with ${code}: ${ctl.stderr}${ctl.stdout}`);
    return ctl.stdout;
  };
  daemon.status = async () => JSON.parse(await daemon.ctl('status', '--json'));
  daemon.peers = async () => JSON.parse(await daemon.ctl('peers', '--json')).peers;
  daemon.stop = () => stop(daemon);
  daemon.subscribe = (args, on_event) =>
    daemon.start_ctl(['subscribe', '--json', ...args], { on_line: (line) => on_event?.(JSON.parse(line)) });
  await eventually(10_000, 'overlayd answers', () => answers(daemon));
  return daemon;
}

async function answers(daemon) {
  if (daemon.run.child.exitCode !== null)
    throw new Error(`overlayd left with ${daemon.run.child.exitCode} at the start`);
  const ctl = daemon.start_ctl(['status', '--json']);
  return (await ctl.ended).code === 0;
}

// SIGTERM, and a clean end within the five seconds that flushing may take, and one more.
async function stop(daemon) {
  daemon.run.child.kill('SIGTERM');
  const { code, signal } = await within(6_000, 'overlayd ends after SIGTERM', daemon.run.ended);
  check_equal({ code, signal }, { code: 0, signal: null }, 'overlayd ends cleanly after SIGTERM');
}

// Subscribes as the consensus process would, accepting everything, and returns once nothing is missed any more and, if
// transactions are asked for, overlayd demands them. Transactions and items come over streams of their own.
export async function attach_consensus(daemon, topics, on_event) {
  const before = (await daemon.status()).subscribers;
  const run = daemon.subscribe(['--topics', topics, '--accept', '--timeout', '120'], on_event);
  const alone = ['transactions', 'items'].filter((topic) => topics.split(',').includes(topic)).length;
  const streams = alone + (topics.split(',').length > alone ? 1 : 0);
  await eventually(10_000, 'overlayd knows what the client takes', async () => {
    check(run.child.exitCode === null, `subscribe goes on: ${run.stderr}`);
    const status = await daemon.status();
    const is_demanding = status.is_demanding_transactions || !topics.includes('transactions');
    return status.subscribers === before + streams && is_demanding;
  });
  return run;
}

export function write_lines(daemon, name, objects) {
  writeFileSync(daemon.file(name), objects.map((object) => JSON.stringify(object) + '\n').join(''));
  return daemon.file(name);
}
