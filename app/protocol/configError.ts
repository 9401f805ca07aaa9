/** A setting that cannot be used. `field` is its path, such as `method.lambda`. */
export class ConfigError extends Error {
  constructor(
    readonly field: string,
    message: string,
  ) {
    super(message);
    this.name = 'ConfigError';
  }
}
