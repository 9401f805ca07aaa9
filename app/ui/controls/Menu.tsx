import { useId, useLayoutEffect, useRef, useState, type ReactNode } from 'react';

interface MenuProps {
  /** Class of the button that opens it. */
  readonly className: string;
  readonly label?: string;
  readonly title?: string;
  readonly button: ReactNode;
  readonly align?: 'start' | 'end';
  readonly disabled?: boolean;
  /** Content; `close` shuts the menu and gives the focus back. */
  readonly children: (close: () => void) => ReactNode;
}

/** A button with a native popover under it, or over it where there is more room: light dismiss, Escape and the top layer are the browser's. */
export function Menu({ className, label, title, button, align = 'start', disabled, children }: MenuProps) {
  const id = useId();
  const pop = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  const close = () => {
    pop.current?.hidePopover();
    opener.current?.focus();
  };
  // Measured when the content is there, before it is painted.
  useLayoutEffect(() => {
    const box = opener.current?.getBoundingClientRect();
    const element = pop.current;
    if (!open || !box || !element) return;
    const width = element.offsetWidth;
    const wanted = align === 'end' ? box.right - width : box.left;
    element.style.left = `${Math.max(8, Math.min(wanted, innerWidth - width - 8))}px`;
    const [above, below] = [box.top - 12, innerHeight - box.bottom - 12];
    const up = element.scrollHeight > below && above > below;
    element.style.maxHeight = `${up ? above : below}px`;
    element.style.top = `${up ? Math.max(8, box.top - 4 - element.offsetHeight) : box.bottom + 4}px`;
    // Some entries are there on a phone only.
    const entries = [...element.querySelectorAll<HTMLElement>('button:not([disabled]), input')];
    (element.querySelector<HTMLElement>('[data-autofocus]') ?? entries.find((entry) => entry.checkVisibility()))?.focus();
  }, [open, align]);
  return (
    <>
      <button
        ref={opener}
        type="button"
        className={className}
        aria-label={label}
        aria-haspopup="dialog"
        aria-expanded={open}
        title={title}
        disabled={disabled}
        popoverTarget={id}
      >
        {button}
      </button>
      <div
        ref={pop}
        id={id}
        popover="auto"
        role="dialog"
        aria-label={label ?? title}
        className="pop"
        onToggle={(event) => setOpen(event.newState === 'open')}
      >
        {open && children(close)}
      </div>
    </>
  );
}
