import { useEffect, useRef, useState } from 'react';
import { showPicture } from '../../store/actions';
import { cameraMessage, grabFrame, openCamera, stopCamera } from './camera';

/** The camera's picture, square as the model will see it. The stream ends with the component. */
export function Camera({ onClose }: { onClose: () => void }) {
  const video = useRef<HTMLVideoElement>(null);
  const [ready, setReady] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => {
    let closed = false;
    let stream: MediaStream | undefined;
    openCamera().then(
      (opened) => {
        stream = opened;
        if (closed || !video.current) return stopCamera(opened);
        video.current.srcObject = opened;
      },
      (error: unknown) => !closed && setProblem(error instanceof Error ? error.message : String(error)),
    );
    return () => {
      closed = true;
      if (stream) stopCamera(stream);
    };
  }, []);
  const take = () => {
    if (!video.current) return;
    grabFrame(video.current).then(
      (blob) => {
        showPicture(blob, 'camera');
        onClose();
      },
      (error: unknown) => setProblem(cameraMessage(error)),
    );
  };
  return (
    <div className="see-camera" role="group" aria-label="Camera">
      {problem ? (
        <p role="alert">{problem}</p>
      ) : (
        <video ref={video} autoPlay muted playsInline aria-label="Camera picture" onLoadedData={() => setReady(true)} />
      )}
      <div className="acts">
        {!problem && (
          <button type="button" className="btn primary" disabled={!ready} onClick={take}>
            Take picture
          </button>
        )}
        <button type="button" className="btn line" onClick={onClose}>
          {problem ? 'Close' : 'Stop camera'}
        </button>
      </div>
      {!problem && <small>{ready ? 'The picture stays on this device.' : 'Waiting for the camera; the browser may ask for leave.'}</small>}
    </div>
  );
}
