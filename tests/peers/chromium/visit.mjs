// Visits the pages of sign-in with Chromium and prints what it saw as one JSON object; tests/login/pages.rs judges.
//
// usage: node visit.mjs CACHE '{"base": URL, "pages": [PATH], "sign_in": PATH}'
import { keyboard, mover, open, start, throughProvider, violations } from './browse.mjs';

const { base, pages, sign_in } = JSON.parse(process.argv[3]);
const { browser, axe } = await start(process.argv[2]);

async function look(path) {
  const { page, complaints } = await open(browser);
  const answer = await page.goto(base + path, { waitUntil: 'networkidle0' });
  const seen = {
    path, status: answer.status(), title: await page.title(), policy: answer.headers()['content-security-policy'],
    language: await page.evaluate(() => document.documentElement.lang),
    scripts: await page.evaluate(() => document.scripts.length),
    controls: await page.evaluate(() => [...document.querySelectorAll('a[href], button')].map((one) => one.textContent.trim())),
    keyboard: await keyboard(page, 20), violations: await violations(page, axe), narrow: null,
  };
  await page.setViewport({ width: 320, height: 480 });
  seen.narrow = await page.evaluate(() => document.documentElement.scrollWidth <= 320);
  seen.complaints = complaints;
  await page.browserContext().close();
  return seen;
}

// By keyboard alone: the first way to sign in, the provider's forms, the button that signs out.
async function signInAndOut() {
  const { page, complaints } = await open(browser);
  const moved = mover(page);
  const visited = [];
  await page.goto(base + sign_in, { waitUntil: 'networkidle0' });
  await page.keyboard.press('Tab');
  visited.push(await moved(() => page.keyboard.press('Enter')));
  visited.push(...await throughProvider(page, base, moved));
  const cookies = (await page.browserContext().cookies()).filter((one) => base.includes(one.domain));
  await page.keyboard.press('Tab');
  visited.push(await moved(() => page.keyboard.press('Enter')));
  await page.browserContext().close();
  return { visited, complaints: complaints.filter((one) => one.startsWith(base)), cookies };
}

try {
  const looks = [];
  for (const path of pages) looks.push(await look(path));
  const flow = sign_in ? await signInAndOut() : null;
  console.log(JSON.stringify({ looks, flow }));
} finally {
  await browser.close();
}
