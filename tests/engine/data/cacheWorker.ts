import { type NamedBlob } from '../../../app/engine/data';
import { loadPublished, loadPublishedFiles } from '../../../app/engine/data/readers';
import { wordSum } from '../../../app/engine/data/formats/checksums';

/** The data room in a dedicated worker, as the page uses it: there storage has synchronous handles. */
self.onmessage = async (event: MessageEvent<{ files?: NamedBlob[]; baseUrl: string }>) => {
  const o = { signal: new AbortController().signal, onProgress: () => undefined };
  const { files, baseUrl } = event.data;
  try {
    const data = files
      ? await loadPublishedFiles('cifar10', files, o)
      : await loadPublished('cifar10', { ...o, baseUrl, hubBase: 'http://127.0.0.1:9/' });
    const { origin, cached, train, test } = data;
    self.postMessage({ origin, cached, counts: [train.count, test.count], sum: wordSum(train.images), notices: data.notices });
  } catch (error) {
    self.postMessage({ error: String(error) });
  }
};
