// @ts-check
// The sender's half of the evidence: one line that matrix-js-sdk writes at info.
import assert from 'node:assert/strict';
import { fidelity } from './harness.mjs';

const claim = fidelity({
  '/sender.html': `<!doctype html><script>
    console.info('Enqueuing batch of to-device messages. type=m.room.encrypted txnid=m9.1', ['@f:s/DEV (msgid f1)']);
  </script>`,
});

claim('the batches that the SDK says it sends are kept beside the entries', async ({ page }) => {
  const { sent, entries, calls, times } = await page.evaluate(async () => {
    const { add, start } = await import('/kit.js');
    const { report, calls } = await start();
    const before = Date.now();
    const LINE = 'Enqueuing batch of to-device messages. type=m.room.encrypted txnid=m1795423336054.0';
    const targets = [
      '@alice:localhost/NFQILHVQCC (msgid b4305e2c58c244dea1aaddef5b32ff9d)',
      '@irc/bob:server.org:8448/a+b/c (msgid 1)',
      'nonsense',
      7,
    ];
    console.info(LINE, targets);
    // As a logger with a prefix writes it.
    console.info('[Client]', LINE, targets.slice(0, 1));
    console.info('something else', LINE.slice(1));
    console.log(LINE, targets);
    const reached = calls.length;
    await add('iframe', { src: '/sender.html' });
    return { ...report(), calls: reached, times: [before, Date.now()] };
  });
  assert.equal(calls, 3);
  assert.deepEqual(entries, []);
  for (const { ts } of sent) assert.ok(ts >= times[0] && ts <= times[1]);
  const main = { kind: 'main', path: null };
  assert.deepEqual(
    sent.map(({ ts, ...batch }) => batch),
    [
      {
        type: 'm.room.encrypted',
        txnid: 'm1795423336054.0',
        targets: [
          {
            userId: '@alice:localhost',
            deviceId: 'NFQILHVQCC',
            messageId: 'b4305e2c58c244dea1aaddef5b32ff9d',
          },
          { userId: '@irc/bob:server.org:8448', deviceId: 'a+b/c', messageId: '1' },
        ],
        omitted: 0,
        realm: main,
      },
      {
        type: 'm.room.encrypted',
        txnid: 'm1795423336054.0',
        targets: [
          {
            userId: '@alice:localhost',
            deviceId: 'NFQILHVQCC',
            messageId: 'b4305e2c58c244dea1aaddef5b32ff9d',
          },
        ],
        omitted: 0,
        realm: main,
      },
      {
        type: 'm.room.encrypted',
        txnid: 'm9.1',
        targets: [{ userId: '@f:s', deviceId: 'DEV', messageId: 'f1' }],
        omitted: 0,
        realm: { kind: 'frame', path: '/sender.html' },
      },
    ],
  );
});

claim('the list of batches is bounded, the newest stay, and clear() forgets them', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { start } = await import('/kit.js');
    const { diag, report } = await start();
    const line = (/** @type {number} */ at) => `Enqueuing batch of to-device messages. type=x txnid=t${at}`;
    for (let at = 0; at < 150; at++) console.info(line(at), ['@a:b/C (msgid ' + 'm'.repeat(5000) + ')']);
    console.info(
      line(150),
      Array.from({ length: 1000 }, (_, at) => `@a:b/D${at} (msgid ${at})`),
    );
    const { sent } = report();
    const last = sent[sent.length - 1];
    diag.clear();
    return {
      count: sent.length,
      first: sent[0].txnid,
      id: sent[0].targets[0].messageId.length,
      targets: last.targets.length,
      omitted: last.omitted,
      left: report().sent.length,
    };
  });
  assert.deepEqual(seen, { count: 100, first: 't51', id: 255, targets: 200, omitted: 800, left: 0 });
});

claim('sentKeys: false leaves console.info alone', async ({ page }) => {
  const seen = await page.evaluate(async () => {
    const { load, silence } = await import('/kit.js');
    silence();
    const { info } = console;
    const diag = await load();
    diag.install({ sentKeys: false });
    console.info('Enqueuing batch of to-device messages. type=x txnid=y', ['@a:b/C (msgid 1)']);
    const { sent, capture } = JSON.parse(diag.buildReport(null));
    return [console.info === info, sent, capture.hooks.map((hook) => hook.method)];
  });
  assert.deepEqual(seen, [true, [], ['warn', 'error']]);
});
