// client.mjs: a client that others wrote for the real service works with the emulator
//
// usage: client.mjs EMULATOR FOLDER
// Installs the public client into FOLDER, once; exits 77, saying why, where that cannot be.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const CLIENT = 'node-zendesk@6.0.1';
const PASSED_BY = 77;
const [emulator, folder] = process.argv.slice(2);

function load() {
  mkdirSync(folder, { recursive: true });
  const require = createRequire(join(folder, 'x.js'));
  try {
    return require('node-zendesk');
  } catch {
    const npm = spawnSync('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, CLIENT],
      { timeout: 60_000, encoding: 'utf8' });
    if (npm.status !== 0) {
      console.log(`skipped: npm could not install ${CLIENT}: ${npm.error ?? npm.stderr}`);
      process.exit(PASSED_BY);
    }
    return require('node-zendesk');
  }
}

async function start() {
  const child = spawn(emulator, ['--quiet', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = await once(createInterface(child.stdout), 'line');
  return { child, url: line.match(/http:\/\/\S+/)[0] };
}

const promises = {
  async 'knows who asks'(client) {
    const { result } = await client.users.me();
    assert.equal(result.role, 'admin');
  },

  async 'makes people and finds them'(client) {
    const organization = (await client.organizations.create({ organization: { name: 'Acme', domain_names: ['acme.example'] } })).result;
    const user = (await client.users.create({ user: { name: 'Ann', email: 'ann@acme.example', organization_id: organization.id } })).result;
    assert.equal(user.organization_id, organization.id);
    const identities = await client.useridentities.list(user.id);
    assert.deepEqual(identities.map((identity) => identity.value), ['ann@acme.example']);
    const refused = await client.users.create({ user: { name: 'Ann again', email: 'ann@acme.example' } }).catch((error) => error);
    assert.match(refused.message, /422/);
  },

  async 'makes, changes and reads a ticket'(client) {
    const { result } = await client.tickets.create({ ticket: { subject: 'Mail', comment: { body: 'It is gone.' }, tags: ['a'] } });
    await client.tickets.update(result.id, { ticket: { status: 'pending', comment: { body: 'Found.', public: false } } });
    const shown = (await client.tickets.show(result.id)).result;
    assert.equal(shown.status, 'pending');
    assert.deepEqual(shown.tags, ['a']);
    const comments = await client.tickets.getComments(result.id);
    assert.deepEqual(comments.map((comment) => [comment.body, comment.public]), [['It is gone.', true], ['Found.', false]]);
  },

  async 'reads lists to their end'(client) {
    for (let i = 0; i < 250; i++)
      await client.tickets.create({ ticket: { subject: `Ticket ${i}`, comment: { body: 'x' } } });
    const tickets = await client.tickets.list();
    assert.equal(new Set(tickets.map((ticket) => ticket.id)).size, 251);
  },

  async 'waits for a job'(client) {
    const { result } = await client.tickets.createMany({ tickets: [1, 2, 3].map((n) => ({ subject: `Many ${n}`, comment: { body: 'x' } })) });
    const done = await client.jobstatuses.watch(result.job_status.id, 100, 100);
    assert.equal(done.status, 'completed');
    assert.equal(new Set(done.results.map((made) => made.id)).size, 3);
  },

  // The client keeps the answer, and the token in it, to itself.
  async 'sends a file'(client, url) {
    const path = join(folder, 'sent.txt');
    writeFileSync(path, 'what was sent');
    await client.attachments.upload(path, { filename: 'sent.txt' });
    const history = await (await fetch(`${url}/_emulator/history`)).text();
    const uploaded = history.split('\n').filter(Boolean).map((line) => JSON.parse(line)).find((line) => line.event === 'uploaded');
    assert.equal(uploaded.sha256, createHash('sha256').update('what was sent').digest('hex'));
  },

  async 'imports the past, and exports it a minute later'(client, url) {
    const { result } = await client.imports.ticket({ ticket: { subject: 'Old', status: 'closed', created_at: '2012-06-01T10:00:00Z',
      comments: [{ value: 'once', created_at: '2012-06-01T10:00:00Z' }] } });
    assert.equal(result.created_at, '2012-06-01T10:00:00Z');
    await fetch(`${url}/_emulator/clock`, { method: 'POST', body: '{"advance":120}' });
    assert.equal((await client.tickets.incremental(1)).at(-1)?.id, result.id);
  },
};

const zendesk = load();
const { child, url } = await start();
const client = zendesk.createClient({ username: 'agent@example.com', token: 'secret', endpointUri: `${url}/api/v2` });
let failed = 0;

for (const [name, keep] of Object.entries(promises)) {
  try {
    await keep(client, url);
    console.log(`  ${name} … kept`);
  } catch (error) {
    failed++;
    console.log(`  ${name} … BROKEN\n${error.stack}`);
  }
}
child.kill();
process.exit(failed === 0 ? 0 : 1);
