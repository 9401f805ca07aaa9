export function chromiumPath(): string | undefined;
export const QUIET_ARGS: readonly string[];
export const SOFTWARE_GPU_ARGS: readonly string[];
