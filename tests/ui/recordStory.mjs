// Records the run that the first page tells its story with: node tests/ui/recordStory.mjs [address of a running page].
// Trains the nano preset to its end and writes app/ui/first/recorded.json: spectra of one matrix, and the accuracy on test images.
import { writeFileSync } from 'node:fs';
import { chromium } from 'playwright';
import { chromiumPath } from '../support/chromium.mjs';

const address = process.argv[2] ?? 'http://localhost:5173/';
const browser = await chromium.launch({
  executablePath: chromiumPath(),
  args: ['--no-sandbox', '--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'],
});
const page = await browser.newPage();
page.on('pageerror', (error) => console.error(error.message));
await page.goto(address);
await page.waitForFunction(() => 'q3r' in window);
// An empty patch shows the preset that suits the software adapter: nano.
const { train, method } = await page.evaluate(() => window.q3r.configure({ train: { evalEvery: 0 } }));
const evaluateEvery = 100;
const curve = { step: [], accuracy: [] };
const look = async (step) => {
  const { accuracy, loss } = await page.evaluate(() => window.q3r.evaluate());
  curve.step.push(step);
  curve.accuracy.push(Number(accuracy.toFixed(4)));
  console.log(step, accuracy.toFixed(4), loss.toFixed(4));
};
const spectra = () =>
  page.evaluate(async () =>
    (await window.q3r.spectra()).map(({ name, targetRank, effectiveRank, sigma }) => ({
      name,
      targetRank,
      effectiveRank,
      sigma: [...sigma],
    })),
  );
const start = await spectra();
await look(0);
for (let step = evaluateEvery; step <= train.steps; step += evaluateEvery) {
  await page.evaluate((n) => window.q3r.step(n), evaluateEvery);
  await look(step);
}
const end = await spectra();
await browser.close();

console.log(end.map((m) => `${m.name} ${m.effectiveRank.toFixed(1)}`).join('\n'));
const name = 'blocks.1.attn.qkv.weight[2]';
const of = (matrices) => matrices.find((m) => m.name === name);
const round = (values) => values.map((v) => Number(v.toPrecision(4)));
const recorded = {
  label: `The same run: ViT-Nano/8 on Shapes, λ\u00a0${method.lambda}`,
  matrix: name,
  targetRank: of(end).targetRank,
  start: round(of(start).sigma),
  end: round(of(end).sigma),
  curve,
};
writeFileSync('app/ui/first/recorded.json', `${JSON.stringify(recorded, null, 1)}\n`);
