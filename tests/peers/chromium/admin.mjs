// Visits the administrators' pages with Chromium, takes a picture of each, walks through them by keyboard alone, and prints what
// it saw as one JSON object; tests/admin/pictures.rs judges.
//
// usage: node admin.mjs CACHE '{"base": URL, "cookie": VALUE, "views": [{"name", "path", "scheme", "width"}], "pictures": FOLDER or null, "walk": bool}'
import { keyboard, mover, open, start, throughProvider, violations } from './browse.mjs';

const { base, cookie, views, pictures, walk } = JSON.parse(process.argv[3]);
const { browser, axe } = await start(process.argv[2]);

async function look(view) {
  const { page, complaints } = await open(browser);
  await page.browserContext().setCookie({ name: 'rollcall-session', value: cookie, domain: new URL(base).hostname, path: '/', httpOnly: true, sameSite: 'Lax' });
  await page.setViewport({ width: view.width, height: 600 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }]);
  const answer = await page.goto(base + view.path, { waitUntil: 'networkidle0' });
  if (pictures) await page.screenshot({ path: `${pictures}/${view.name}.png`, fullPage: true });
  const seen = {
    name: view.name, status: answer.status(), title: await page.title(), policy: answer.headers()['content-security-policy'],
    language: await page.evaluate(() => document.documentElement.lang),
    scripts: await page.evaluate(() => document.scripts.length),
    headings: await page.evaluate(() => document.querySelectorAll('h1').length),
    controls: await page.evaluate(() => [...document.querySelectorAll('a[href], button, input:not([type=hidden]), select, [tabindex="0"]')]
      .map((one) => one.textContent.trim())),
    keyboard: await keyboard(page, 400), violations: await violations(page, axe), narrow: null,
  };
  await page.setViewport({ width: 320, height: 480 });
  seen.narrow = await page.evaluate(() => document.documentElement.scrollWidth <= 320);
  seen.complaints = complaints;
  await page.browserContext().close();
  return seen;
}

// Presses Tab until what is focused matches; fails after a hundred stops.
async function tabTo(page, selector, text) {
  for (let stop = 0; stop < 100; stop += 1) {
    await page.keyboard.press('Tab');
    const is = await page.evaluate((wanted, words) => {
      const element = document.activeElement;
      return element.matches(wanted) && (!words || element.textContent.trim() === words);
    }, selector, text);
    if (is) return;
  }
  throw new Error(`Tab does not reach ${selector} ${text} on ${page.url()}`);
}

// Signs in at the provider, finds jane, locks her, and makes a token: without a mouse.
async function byKeyboard() {
  const { page, complaints } = await open(browser);
  const moved = mover(page);
  const enter = () => moved(() => page.keyboard.press('Enter'));
  const told = () => page.$eval('[role=status]', (one) => one.textContent.trim());
  const steps = [];
  await page.goto(`${base}/admin`, { waitUntil: 'networkidle0' });
  steps.push(page.url(), ...await throughProvider(page, base, moved));
  await tabTo(page, '.skip');
  await page.keyboard.press('Enter');
  const skipped = await page.evaluate(() => document.activeElement.id);
  await page.reload({ waitUntil: 'networkidle0' });
  await tabTo(page, 'nav a', 'Users');
  await enter();
  await tabTo(page, 'input[type=search]');
  await page.keyboard.type('jane');
  steps.push(await enter());
  await tabTo(page, 'th a', 'jane');
  await enter();
  await tabTo(page, 'a.button', 'Lock…');
  steps.push(await enter());
  await tabTo(page, 'button', 'Lock');
  steps.push(await enter());
  const locked = await told();
  await tabTo(page, 'nav a', 'Tokens');
  await enter();
  await tabTo(page, '#name');
  await page.keyboard.type('by keyboard');
  await tabTo(page, '#scope-audit');
  await page.keyboard.press('Space');
  await tabTo(page, 'button', 'Make the token');
  steps.push(await enter());
  if (pictures) {
    await page.setViewport({ width: 1024, height: 600 });
    await page.screenshot({ path: `${pictures}/token-made.png`, fullPage: true });
  }
  const secret = await page.$eval('.secret', (one) => one.textContent);
  const found = await violations(page, axe);
  await page.browserContext().close();
  return { steps, skipped, locked, secret, violations: found, complaints: complaints.filter((one) => one.startsWith(base)) };
}

try {
  const looks = [];
  for (const view of views) looks.push(await look(view));
  console.log(JSON.stringify({ looks, walk: walk ? await byKeyboard() : null }));
} finally {
  await browser.close();
}
