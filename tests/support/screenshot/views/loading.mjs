/** What takes time: opening the device, preparing a large model, a download, a recording on its way. */
export const loading = {
  name: 'loading',
  shots: ['loading-device', 'loading-prepare', 'loading-data', 'loading-replay'],
  async run({ open, shot }) {
    // Files that never arrive hold the page where it waits for them.
    const held = (pattern) => (page) => page.route(pattern, () => undefined);
    const device = await open('', { ready: false, prepare: held(/assets\/worker[^/]*\.js/) });
    await device.getByRole('heading', { level: 1 }).waitFor();
    await shot('loading-device', device);

    const prepare = await open('#v=1&patchSize=4&embedDim=384&depth=12&numHeads=6&batchSize=8');
    await prepare.getByRole('button', { name: 'Play', exact: true }).first().click();
    await prepare.getByRole('heading', { name: 'Getting the GPU ready' }).waitFor();
    await prepare.waitForTimeout(500);
    await shot('loading-prepare', prepare);

    const data = await open('#v=1&data=cifar10', { prepare: held(/huggingface\.co/) });
    await data.getByRole('button', { name: 'Play', exact: true }).first().click();
    await data
      .getByRole('heading', { name: /CIFAR-10/ })
      .first()
      .waitFor();
    await data.waitForTimeout(500);
    await shot('loading-data', data);

    const replay = await open('#replay=dense', { ready: false, prepare: held(/dense\.q3r\.json/) });
    await replay.getByRole('heading', { name: 'Loading the recording' }).waitFor();
    await shot('loading-replay', replay);
  },
};
