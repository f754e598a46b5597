// What fma.cl, mma.cl and tiles.cl have in common: sizes of work-groups and tiles.

#define TEAM 256
// Work-items keep 64 sums each; those that a tile leaves over share the depth.
#define SLICE_COUNT(rows, columns) (TEAM * 64 / ((rows) * (columns)))

#ifndef PROJECT_ROWS
#define PROJECT_ROWS 64
#endif
#ifndef PROJECT_COLUMNS
#define PROJECT_COLUMNS 64
#endif
#ifndef PROJECT_DEPTH
#define PROJECT_DEPTH 32
#endif
#ifndef LEARN_ROWS
#define LEARN_ROWS 128
#endif
#ifndef LEARN_COLUMNS
#define LEARN_COLUMNS 128
#endif
#ifndef LEARN_DEPTH
#define LEARN_DEPTH 16
#endif
