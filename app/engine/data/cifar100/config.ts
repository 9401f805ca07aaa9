import type { DatasetConfig } from '../config';

/** Fine labels in the order of the published files. */
const CLASSES =
  'apple,aquarium fish,baby,bear,beaver,bed,bee,beetle,bicycle,bottle,bowl,boy,bridge,bus,butterfly,camel,can,castle,caterpillar,cattle,' +
  'chair,chimpanzee,clock,cloud,cockroach,couch,crab,crocodile,cup,dinosaur,dolphin,elephant,flatfish,forest,fox,girl,hamster,house,' +
  'kangaroo,keyboard,lamp,lawn mower,leopard,lion,lizard,lobster,man,maple tree,motorcycle,mountain,mouse,mushroom,oak tree,orange,' +
  'orchid,otter,palm tree,pear,pickup truck,pine tree,plain,plate,poppy,porcupine,possum,rabbit,raccoon,ray,road,rocket,rose,sea,seal,' +
  'shark,shrew,skunk,skyscraper,snail,snake,spider,squirrel,streetcar,sunflower,sweet pepper,table,tank,telephone,television,tiger,' +
  'tractor,train,trout,tulip,turtle,wardrobe,whale,willow tree,wolf,woman,worm';

export const cifar100 = {
  name: 'cifar100',
  label: 'CIFAR-100',
  about: '60 000 photos of 32 × 32 pixels in a hundred classes.',
  synthetic: false,
  imageSize: 32,
  channels: 3,
  classes: CLASSES.split(','),
  trainCount: 50_000,
  testCount: 10_000,
  mean: [0.5071, 0.4865, 0.4409],
  std: [0.2673, 0.2564, 0.2762],
  flip: true,
  downloadBytes: 118_500_000 + 23_791_368,
  source: 'huggingface.co/datasets/uoft-cs/cifar100',
  files: 'cifar-100-binary.tar.gz, its train.bin and test.bin, or .parquet files',
} as const satisfies DatasetConfig;
