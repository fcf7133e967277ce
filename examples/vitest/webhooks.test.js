// One test for each scenario of aghook. Vitest starts the game, aghook plays Aghanim once, and each test
// shows the result of its scenario.
//
// AGHOOK is the program, if it is not on the PATH.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { createGame } from './game.js';

const AGHOOK = process.env.AGHOOK ?? 'aghook';
const SCENARIOS = ['--tag', 'smoke']; // [] is the whole bundled suite, ['scenarios/'] a folder of your own
const SECRET = 's3cret';
const cwd = import.meta.dirname;

// Names only: this starts no game and sends nothing.
const listed = execFileSync(AGHOOK, ['list', '--json', ...SCENARIOS], { cwd, encoding: 'utf8' });
const scenarios = listed.trim().split('\n').map((line) => JSON.parse(line));

const game = createGame(SECRET);
const folder = mkdtempSync(join(tmpdir(), 'aghook-'));
let exitCode;
let output;
let results;

beforeAll(async () => {
  await once(game.listen(0, '127.0.0.1'), 'listening');
  const profile = readFileSync(join(cwd, 'aghook.yaml'), 'utf8');
  const address = `http://127.0.0.1:${game.address().port}`;
  writeFileSync(join(folder, 'aghook.yaml'), profile.replaceAll('http://127.0.0.1:8080', address));
  const report = join(folder, 'run.jsonl');
  const options = ['--quiet', '--config', join(folder, 'aghook.yaml'), '--report', `json=${report}`];
  // Not execFileSync: the game is in this process, and could not respond meanwhile.
  const aghook = spawn(AGHOOK, ['run', ...options, ...SCENARIOS], {
    cwd,
    env: { ...process.env, AGHANIM_WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const printed = [text(aghook.stdout), text(aghook.stderr)];
  [exitCode] = await once(aghook, 'close');
  output = (await Promise.all(printed)).join('');
  results = readReport(readFileSync(report, 'utf8'));
}, 600_000);

afterAll(() => {
  game.close();
  rmSync(folder, { recursive: true });
});

// The checks of each scenario, its verdict and its likely causes. Node reads no XML, so this is the JSON report.
function readReport(report) {
  const found = new Map();
  for (const line of report.split('\n').filter(Boolean)) {
    const event = JSON.parse(line);
    if (event.event === 'scenario_started') found.set(event.scenario, { ...event, checks: [], causes: [] });
    const result = found.get(event.scenario);
    for (const delivery of event.deliveries ?? []) result.checks.push(...delivery.checks);
    if (event.not_made) result.checks.push(event.not_made);
    if (event.event === 'effects_ended') result.checks.push(...event.checks);
    if (event.event === 'scenario_ended') result.verdict = event.verdict;
    for (const cause of event.likely_causes ?? []) {
      for (const number of cause.scenarios) found.get(number).causes.push(cause);
    }
  }
  return [...found.values()];
}

function describeProblems({ checks, verdict, causes }) {
  const problems = checks.filter((check) => check.verdict === verdict);
  return [
    ...problems.map((check) => `${check.subject}: expected ${check.expected}, observed ${check.observed}`),
    ...causes.map((cause) => `${cause.certainty} cause: ${cause.about}\n  → ${cause.remedy}`),
  ].join('\n');
}

for (const { name, file } of scenarios) {
  test(name, ({ skip }) => {
    const result = results.find((result) => result.name === name && result.file === file);
    if (!result?.verdict) expect.fail(`not run:\n${output}`);
    const problems = describeProblems(result);
    if (result.verdict === 'failed' || result.verdict === 'broken') expect.fail(problems);
    if (result.verdict === 'not_checked') skip(problems);
    if (result.verdict === 'warned') console.warn(problems);
  });
}

test('aghook finished', () => {
  // 1 is a failed scenario, which its own test shows. 2 and 3 mean that there is no verdict.
  expect([0, 1], output).toContain(exitCode);
});
