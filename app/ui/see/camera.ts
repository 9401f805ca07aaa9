/** The camera could not be used; the message says why and what to do. */
export class CameraError extends Error {
  override name = 'CameraError';
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError:
    'The browser was not allowed to use the camera. Allow it for this page, usually at the left of the address bar, and try again.',
  SecurityError: 'The page may not use the camera here; opened by itself, outside a frame, it may.',
  NotFoundError: 'No camera was found. Connect one, or choose a picture file.',
  OverconstrainedError: 'No camera was found that fits. Connect another, or choose a picture file.',
  NotReadableError: 'The camera is there, but does not answer: another program may be using it. Close that and try again.',
  AbortError: 'The camera stopped before it showed a picture. Try again.',
};

/** What went wrong with the camera, in words. */
export const cameraMessage = (error: unknown): string =>
  (error instanceof Error && REASONS[error.name]) ||
  `The camera could not be opened: ${error instanceof Error ? error.message || error.name : String(error)}`;

/** Opens the camera, the one at the back where there are two. The caller stops it. @throws CameraError */
export async function openCamera(): Promise<MediaStream> {
  // Browsers hide the camera from pages that came over an insecure connection.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices?.getUserMedia)
    throw new CameraError('The browser offers no camera here: it does so on pages opened over https, or from this computer.');
  try {
    return await devices.getUserMedia({ audio: false, video: { facingMode: { ideal: 'environment' }, width: { ideal: 640 } } });
  } catch (error) {
    throw new CameraError(cameraMessage(error), { cause: error });
  }
}

export const stopCamera = (stream: MediaStream): void => stream.getTracks().forEach((track) => track.stop());

/** The frame that a video shows now, as PNG. @throws CameraError before the first frame */
export async function grabFrame(video: HTMLVideoElement): Promise<Blob> {
  const { videoWidth: width, videoHeight: height } = video;
  if (width === 0) throw new CameraError('The camera has not shown a picture yet. Wait for it, and try again.');
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  canvas.getContext('2d')?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new CameraError('The picture could not be taken from the camera.');
  return blob;
}
