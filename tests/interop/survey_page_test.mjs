// The page of `overlayctl survey result --format html` in headless Chromium:  node survey_page_test.mjs CASE
// Needs OVERLAYD_BIN (the folder of overlayctl), SURVEY_PAGE_HTML (the page before the result is put in) and
// SURVEY_ARTIFACTS (where the screenshots are kept).
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { chromium } from 'playwright-core';
import { check, check_equal, eventually, make_temp_dir, run_test, start } from './lib/process.mjs';
import { make_survey_result, survey_node_id } from './lib/survey_result.mjs';

const SKIPPED = 77;
const SETTLED_WITHIN_MS = 60_000;
const FLAGS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run'];
FLAGS.push('--disable-background-networking', '--disable-component-update', '--disable-sync');

const browser_path = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);
if (browser_path === undefined) {
  console.log(
    `${process.env.CI ? 'FAIL' : 'SKIPPED'}: Chromium is not installed (packaging/install-deps.sh does that)`,
  );
  process.exit(process.env.CI ? 1 : SKIPPED);
}

const artifacts = process.env.SURVEY_ARTIFACTS ?? path.join(process.cwd(), 'artifacts');
mkdirSync(artifacts, { recursive: true });
const artifact = (name) => path.join(artifacts, name);
const dir = make_temp_dir();
const opened = [];

// As overlayctl does it.
function fill_in(result) {
  const json = JSON.stringify(result).replaceAll('<', '\\u003c');
  const page = readFileSync(process.env.SURVEY_PAGE_HTML, 'utf8');
  return page.replace('__SURVEY_DATA__', () => json);
}

// Where overlayctl can read a result from a file, the page is its own.
async function make_page(result) {
  const overlayctl = path.join(process.env.OVERLAYD_BIN ?? '', 'overlayctl');
  const help = existsSync(overlayctl) ? start(overlayctl, ['survey', 'result', '--help']) : null;
  await help?.ended;
  if (!help?.stdout.includes('--from')) return fill_in(result);
  const file = path.join(dir, 'result.json');
  writeFileSync(file, JSON.stringify(result));
  const made = start(overlayctl, ['survey', 'result', '--from', file, '--format', 'html']);
  const { code } = await made.ended;
  check_equal(code, 0, `the status of overlayctl (${made.stderr})`);
  return made.stdout;
}

// Opens the page and waits until it rests. What it requests but itself, and what the console complains of, is noted.
async function open(browser, html, options = {}) {
  const file = path.join(dir, `page${opened.length}.html`);
  writeFileSync(file, html);
  const address = pathToFileURL(file).href;
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  const page = await context.newPage();
  const problems = [];
  page.on('request', (request) => request.url() !== address && problems.push(`request of ${request.url()}`));
  page.on('pageerror', (error) => problems.push(`error: ${error.stack}`));
  page.on('dialog', (dialog) => problems.push(`dialog: ${dialog.message()}`));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) problems.push(`console: ${message.text()}`);
  });
  opened.push({ page, problems });
  await page.addInitScript(() => {
    document.addEventListener('DOMContentLoaded', () => (window.settled_at_once = window.surveyPage.isSettled()));
  });
  await page.goto(address);
  await page.waitForFunction(() => window.surveyPage?.isSettled(), null, { timeout: SETTLED_WITHIN_MS, polling: 50 });
  return page;
}

const text_of = (page, selector) => page.locator(selector).first().textContent();
const position_of = (page, id) => page.evaluate((wanted) => window.surveyPage.positionOf(wanted), id);
const selected = (page) => page.evaluate(() => window.surveyPage.selected());
const with_commas = (number) => number.toLocaleString('en-US');

async function click_node(page, id) {
  const { x, y } = await position_of(page, id);
  await page.mouse.click(x, y);
}

async function check_summary(page, truth) {
  const wanted = { nodes: truth.nodes, answered: truth.answered, silent: truth.nodes - truth.answered };
  const { links, one_sided, denied } = truth;
  for (const [key, value] of Object.entries({ ...wanted, links, 'one-sided': one_sided, denied })) {
    check_equal(await text_of(page, `#summary [data-key="${key}"]`), with_commas(value), `the summary's ${key}`);
  }
}

async function check_panel(page, id, told) {
  check_equal(await selected(page), id, 'the selected node');
  check_equal(await text_of(page, '#node-id'), id, "the panel's node");
  const milliseconds = new Set(['p75SCPFirstToSelfLatencyMs', 'p75SCPSelfToOtherLatencyMs']);
  for (const [key, value] of Object.entries(told)) {
    if (typeof value !== 'number') continue;
    const text = with_commas(value) + (milliseconds.has(key) ? '\u00a0ms' : '');
    check_equal(await text_of(page, `#node-numbers [data-key="${key}"]`), text, `the panel's ${key}`);
  }
}

const cells = (page, table, key) => page.locator(`${table} tbody td[data-key="${key}"]`).allTextContents();

async function check_sorting(page) {
  const head = page.locator('#nodes th[data-key="lost"]');
  await head.locator('button').click();
  check_equal(await head.getAttribute('aria-sort'), 'descending', 'aria-sort after the first click');
  const numbers = (await cells(page, '#nodes', 'lost')).map(Number);
  check(numbers.length > 5 && numbers[0] > 0, 'the greatest numbers on top');
  check_equal(
    numbers,
    [...numbers].sort((a, b) => b - a),
    'the column in descending order',
  );
  await head.locator('button').click();
  check_equal(await head.getAttribute('aria-sort'), 'ascending', 'aria-sort after the second click');
  check_equal((await cells(page, '#nodes', 'lost'))[0], '0', 'the least on top');
  check_equal(await page.locator('#nodes th[aria-sort="none"]').count(), 14, 'heads that do not sort');
}

async function check_search(page, truth) {
  const id = truth.ids[321];
  await page.fill('#search', id.slice(0, 20));
  check_equal(await selected(page), id, 'the node found by the beginning of its id');
  const middle = await page.locator('#graph').boundingBox();
  const at = await position_of(page, id);
  check(Math.abs(at.x - middle.x - middle.width / 2) < 2, 'the found node in the middle');
  await page.fill('#search', 'overlayd');
  const count = Number((await text_of(page, '#matches')).split(' ')[0].replace(',', ''));
  check(count > 1 && count < truth.nodes, 'some nodes found by version');
  check_equal(await page.locator('#nodes table').getAttribute('aria-rowcount'), String(count + 1), 'rows of the table');
  await page.press('#search', 'Enter');
  check((await text_of(page, '#node-version')).includes('overlayd'), 'Enter selects the first match');
  await page.fill('#search', 'no such node');
  check_equal(await text_of(page, '#matches'), 'no match', 'what is said of a search without result');
  await page.press('#search', 'Escape');
  check_equal(await page.locator('#nodes table').getAttribute('aria-rowcount'), '1001', 'rows after the search');
}

async function check_colors(page) {
  const before = await page.locator('#legend-classes .label').allTextContents();
  await page.selectOption('#color', 'state');
  const after = await page.locator('#legend-classes .label').allTextContents();
  check(before.join() !== after.join(), 'another legend for another metric');
  check(
    ['answered', 'silent', 'unpermitted', 'bad answers'].every((name) => after.includes(name)),
    `states in ${after}`,
  );
  check_equal(await text_of(page, '#legend-title'), 'Answered, or why not', 'the title of the legend');
  for (const value of await page.locator('#color option').evaluateAll((all) => all.map((one) => one.value))) {
    await page.selectOption('#color', value);
    const counts = await page.locator('#legend-classes .count').allTextContents();
    const sum = counts.reduce((total, count) => total + Number(count.replace(',', '')), 0);
    check_equal(sum, 1000, `nodes in the legend of ${value}`);
  }
  await page.selectOption('#color', 'degree');
}

const is_near = (a, b) => Math.hypot(a.x - b.x, a.y - b.y) < 1;

// The wheel leaves in place what is under the pointer; a drag takes everything along and selects nothing.
async function check_zoom_and_pan(page, [id, other]) {
  await page.click('#zoom-fit');
  const [at, other_at] = [await position_of(page, id), await position_of(page, other)];
  await page.mouse.move(at.x, at.y);
  await page.mouse.wheel(0, -200);
  const distance = async () => {
    const [a, b] = [await position_of(page, id), await position_of(page, other)];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  const before = Math.hypot(at.x - other_at.x, at.y - other_at.y);
  await eventually(5_000, 'the wheel zooms', async () => (await distance()) > before * 1.2);
  check(is_near(await position_of(page, id), at), 'the node under the pointer stays there');
  const box = await page.locator('#graph').boundingBox();
  const from = { x: box.x + box.width / 2, y: box.y + 70 };
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x - 40, from.y + 60, { steps: 4 });
  await page.mouse.up();
  check(is_near(await position_of(page, id), { x: at.x - 40, y: at.y + 60 }), 'a drag moves the drawing');
  check_equal(await selected(page), null, 'the selection after a drag');
  await page.click('#zoom-fit');
  check(is_near(await position_of(page, id), at), 'the whole network in sight again');
}

// A few rows are elements, whatever the table holds.
async function check_links_table(page, truth) {
  await page.click('#tab-links');
  check_equal(
    await page.locator('#links table').getAttribute('aria-rowcount'),
    String(truth.links + 1),
    'rows of links',
  );
  check((await page.locator('#links tbody tr').count()) < 100, 'only the rows in sight are elements');
  await page.locator('#links').evaluate((host) => (host.scrollTop = host.scrollHeight));
  const last = `#links tbody tr[aria-rowindex="${truth.links + 1}"]`;
  await page.locator(last).waitFor();
  await page.locator(last).click();
  check((await selected(page)) !== null, 'a click on a link selects an end of it');
  await page.click('#tab-nodes');
}

async function check_keyboard(page) {
  await page.locator('#nodes table').focus();
  await page.keyboard.press('Home');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  const marked = page.locator('#nodes tbody tr[aria-selected="true"] td[data-key="id"]');
  check_equal(await marked.getAttribute('title'), await selected(page), 'the row that Enter picked');
}

async function check_hover(page, id) {
  const { x, y } = await position_of(page, id);
  await page.mouse.move(x, y);
  await page.locator('#tooltip').waitFor({ state: 'visible' });
  check((await text_of(page, '#tooltip .id')).startsWith(id.slice(0, 5)), 'the node under the pointer');
}

async function thousand(browser) {
  const { result, truth } = make_survey_result();
  const html = await make_page(result);
  writeFileSync(artifact('survey_page.html'), html);
  const begun = Date.now();
  const page = await open(browser, html);
  console.log(`settled after ${Date.now() - begun} ms`);
  check_equal(
    await page.evaluate(() => window.settled_at_once),
    false,
    'that all is arranged before the page is usable',
  );
  await page.screenshot({ path: artifact('survey_page.png') });
  await check_summary(page, truth);

  const [id, told] = Object.entries(result.topology).find(([, entry]) => entry?.isValidator);
  await check_hover(page, id);
  await page.screenshot({ path: artifact('survey_page_hover.png') });
  await click_node(page, id);
  await check_panel(page, id, told);
  check_equal(
    await page.locator('#panel-links table').getAttribute('aria-rowcount'),
    String(told.inboundPeers.length + told.outboundPeers.length + 1),
    'links in the panel',
  );
  await page.mouse.move(5, 5);
  await page.screenshot({ path: artifact('survey_page_selected.png') });
  await page.locator('#panel-links tbody td[data-key="node"]').first().click();
  check((await selected(page)) !== id, "a click on a link in the panel selects the link's other end");
  await page.screenshot({ path: artifact('survey_page_zoomed.png') });
  await page.click('#close-node');
  check_equal(await selected(page), null, 'the selection after it was closed');
  await check_zoom_and_pan(page, truth.ids);

  await check_sorting(page);
  await check_search(page, truth);
  await check_colors(page);
  await check_links_table(page, truth);
  await check_keyboard(page);
  await page.click('#tab-links');
  await page.selectOption('#color', 'version');
  await page.click('#legend-classes li:first-child button');
  await page.screenshot({ path: artifact('survey_page_links.png') });
}

// The same result is drawn the same.
async function dark(browser) {
  const { result, truth } = make_survey_result();
  const html = await make_page(result);
  const page = await open(browser, html, { colorScheme: 'dark' });
  await page.selectOption('#color', 'latency');
  await page.screenshot({ path: artifact('survey_page_dark.png') });
  const again = await open(browser, html, { colorScheme: 'dark' });
  for (const id of truth.ids.slice(0, 50)) {
    check_equal(await position_of(again, id), await position_of(page, id), `the place of ${id}`);
  }
  const small = await open(browser, html, { viewport: { width: 820, height: 1100 } });
  await small.screenshot({ path: artifact('survey_page_narrow.png') });
}

function hostile_result() {
  const evil = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>';
  const [a, b, c, d] = [1, 2, 3, 4].map(survey_node_id);
  const peers = [
    { nodeId: b, version: evil, bytesRead: 1e300, bytesWritten: -5, averageLatencyMs: '18446744073709551615' },
    { nodeId: b, version: evil },
    { nodeId: a, version: 'itself' },
    { nodeId: evil, version: 'v'.repeat(100_000) },
    { nodeId: c, version: '\u202egnal', messagesRead: null, averageLatencyMs: {} },
    { nodeId: '__proto__', version: 'constructor' },
    { version: 'nobody' },
    null,
    7,
  ];
  const topology = {
    [a]: { lostSyncCount: 1e21, isValidator: 'yes', numTotalInboundPeers: NaN, inboundPeers: peers, unknownKey: [1] },
    [b]: { inboundPeers: 'many', outboundPeers: [{ nodeId: a, version: evil }] },
    [c]: null,
    [d]: {},
    [evil]: 'text',
    constructor: { outboundPeers: {} },
  };
  const unanswered = [
    null,
    {},
    { nodeId: c, problem: evil, detail: evil, namedBy: [a, 5, evil] },
    { nodeId: evil, problem: 7 },
  ];
  return { id: b, evil, result: { topology, overlayd: { nonce: evil, surveyor: [evil], unanswered, more: evil } } };
}

// Well-formed but for what a stranger may call itself: this page is overlayctl's own, so its escaping is tested too.
async function hostile_version(browser, evil) {
  const { result, truth } = make_survey_result({ nodes: 12, links: 30, silent: 0, denied: 0 });
  const id = truth.ids[3];
  for (const told of Object.values(result.topology)) {
    for (const peer of [...told.inboundPeers, ...told.outboundPeers]) if (peer.nodeId === id) peer.version = evil;
  }
  const page = await open(browser, await make_page(result));
  check_equal(await page.title(), 'Stellar overlay survey', 'the title');
  await page.fill('#search', id);
  check_equal(await text_of(page, '#node-version'), evil, 'the version, as text');
  await page.selectOption('#color', 'version');
  check((await page.locator('#legend-classes .label').allTextContents()).includes(evil), 'the version in the legend');
}

async function hostile(browser) {
  const { id, evil, result } = hostile_result();
  await hostile_version(browser, '</script><script>alert(1)</script><!--<script>');
  const page = await open(browser, fill_in(result));
  check_equal(await page.title(), 'Stellar overlay survey', 'the title');
  check_equal(await page.locator('script').count(), 2, 'scripts in the page');
  check_equal(await page.locator('img').count(), 0, 'images in the page');
  check_equal(await text_of(page, '#summary [data-key="nodes"]'), '7', 'the nodes');
  await page.fill('#search', id);
  check_equal(await text_of(page, '#node-version'), evil, 'the version, as text');
  for (const value of await page.locator('#color option').evaluateAll((all) => all.map((one) => one.value))) {
    await page.selectOption('#color', value);
  }
  await page.screenshot({ path: artifact('survey_page_hostile.png') });
  for (const nothing of [{}, { topology: {} }, { topology: [], overlayd: 5 }, [], null, 'text']) {
    const empty = await open(browser, fill_in(nothing));
    check_equal(await text_of(empty, '#summary [data-key="nodes"]'), '0', `the nodes of ${JSON.stringify(nothing)}`);
    check(await empty.locator('#empty').isVisible(), 'that there is no node is said');
  }
}

const cases = { thousand, dark, hostile };
const name = process.argv[2];
check(name in cases, `one of ${Object.keys(cases)}`);

await run_test(`survey_page ${name}`, 150_000, async () => {
  const browser = await chromium.launch({ executablePath: browser_path, headless: true, args: FLAGS });
  try {
    await cases[name](browser);
    check_equal(
      opened.flatMap((one) => one.problems),
      [],
      'requests, errors and dialogs',
    );
  } finally {
    await browser.close();
  }
});
