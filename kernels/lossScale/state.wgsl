// State of the loss scale, which outlives a step. Mirrors lossScaleState in lossScale.ts.
struct LossScale {
  scale: f32,   // a power of two: scaling and unscaling only move exponents
  good: u32,    // steps since it last changed
  skips: u32,   // steps that were skipped, in all
  reserved: u32,
}
const GROWTH = 2000u;
const LOWEST = 1.0;
const HIGHEST = 65536.0;
