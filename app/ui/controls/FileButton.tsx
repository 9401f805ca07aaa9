import { useRef, type ReactNode } from 'react';

interface FileButtonProps {
  readonly accept?: string | undefined;
  readonly multiple?: boolean;
  /** Chooses a folder with all that is in it. */
  readonly folder?: boolean;
  readonly className: string;
  readonly disabled?: boolean;
  readonly onFiles: (files: File[]) => void;
  readonly children: ReactNode;
}

/** A button that opens the file chooser; the same file may be chosen twice in a row. */
export function FileButton({ accept, multiple, folder, className, disabled, onFiles, children }: FileButtonProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" className={className} disabled={disabled} onClick={() => input.current?.click()}>
        {children}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        multiple={multiple}
        {...(folder && { webkitdirectory: '' })}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = '';
          if (files.length > 0) onFiles(files);
        }}
      />
    </>
  );
}
