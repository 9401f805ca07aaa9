/** Recordings with and without WebGPU, in a frame, and the page where there is none. */
export const replay = {
  name: 'replay',
  shots: ['replay', 'replay-nogpu', 'replay-back', 'embed', 'no-webgpu', 'no-webgpu-end', 'no-webgpu-see'],
  async run({ open, shot }) {
    const strip = (page) => page.getByRole('region', { name: 'Recording' }).waitFor();
    const page = await open('#replay=dense');
    await strip(page);
    await shot('replay', page);
    await page.getByRole('slider', { name: /^Look back at the spectra/ }).fill('200');
    await shot('replay-back', page);

    const bare = await open('#replay=adamq3r', { gpu: false });
    await strip(bare);
    await shot('replay-nogpu', bare);
    await bare.getByRole('button', { name: 'See the model' }).click();
    await shot('no-webgpu-see', bare, { sizes: ['1440', '390'] });

    const frame = await open('#replay=adamq3r&embed=1', { gpu: false });
    await frame.getByRole('link', { name: 'Open in a new tab' }).waitFor();
    await frame.waitForTimeout(1000);
    await shot('embed', frame);

    const none = await open('', { gpu: false });
    await none.getByRole('heading', { name: /cannot reach the GPU yet|no WebGPU yet/ }).waitFor();
    await none.waitForTimeout(500);
    await shot('no-webgpu', none);
    await shot('no-webgpu-end', none, { sizes: ['390'], at: () => none.evaluate(() => window.scrollTo(0, 1e6)) });
  },
};
