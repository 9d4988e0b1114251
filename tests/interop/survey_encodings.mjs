// Our survey messages against @stellar/stellar-xdr-json:  node survey_encodings.mjs PROGRAM
// PROGRAM is survey_encodings (survey_encodings.cpp). What it wrote must decode to the JSON it names, field by field,
// and that JSON must encode to the same bytes.
import { deepStrictEqual } from 'node:assert';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import init, { decode, encode } from '@stellar/stellar-xdr-json';

const COUNT = 200;

const [program] = process.argv.slice(2);
if (!program) throw new Error('usage: survey_encodings.mjs PROGRAM');
const package_dir = dirname(createRequire(import.meta.url).resolve('@stellar/stellar-xdr-json'));
await init(readFileSync(join(package_dir, 'stellar_xdr_json_bg.wasm')));

const lines = execFileSync(program, [String(COUNT)], { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n');
const seen = new Map();
for (const line of lines) {
  const { type, xdr, json } = JSON.parse(line);
  const arm = Object.keys(json)[0];
  deepStrictEqual(JSON.parse(decode(type, xdr)), json, `${arm} decodes to something else`);
  deepStrictEqual(encode(type, JSON.stringify(json)), xdr, `${arm} encodes to something else`);
  seen.set(arm, (seen.get(arm) ?? 0) + 1);
}
const expected = ['time_sliced_survey_start_collecting', 'time_sliced_survey_stop_collecting'];
expected.push('time_sliced_survey_request', 'time_sliced_survey_response', 'survey_topology_response_v2');
deepStrictEqual(Object.fromEntries(seen), Object.fromEntries(expected.map((arm) => [arm, COUNT])));
console.log(`${lines.length} encodings agree`);
