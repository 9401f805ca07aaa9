import type { CSSProperties } from 'react';

/** A thin bar; `share` from 0 to 1. */
export function Meter({ label, share }: { label: string; share: number }) {
  const p = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  return (
    <div
      className="meter"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.round(p * 100)}
      style={{ '--p': p } as CSSProperties}
    >
      <i />
    </div>
  );
}
