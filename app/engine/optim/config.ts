/**
 * What the loss of a mixed run is multiplied by at first, 2¹³. Gradients of activations are stored as halves, which reach from 6e−5 to
 * 65504 with all their digits. The gradient of the logits is at most one over the batch, so that even a batch of one leaves a factor of
 * eight for the blocks to add to it; a batch of 64 with gradients a million times smaller than its loss is well above the lower end.
 * kernels/lossScale moves it from here: halved with each step that overflows, doubled after 2000 that do not, between 1 and 2¹⁶.
 */
export const FIRST_LOSS_SCALE = 8192;
