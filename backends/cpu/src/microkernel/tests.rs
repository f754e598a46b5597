use super::portable::multiply_add;
use super::*;
use crate::lists::Lists;
use crate::micro_panels::{Columns, MicroPanels, pack_columns_of_rows};

struct Multiply<'a> {
    a: MicroPanel<'a, f32>,
    b: &'a [f32],
    sums: &'a mut Tile<f32>,
    pieces: &'a mut Pieces,
}

struct Pieces(Vec<usize>);

impl Interleaved for Pieces {
    const PIECES: usize = 16;
    #[inline(always)]
    fn piece(&mut self, piece: usize) {
        self.0.push(piece);
    }
}

impl Kernel<f32> for Multiply<'_> {
    #[inline(always)]
    fn run<M: Microkernel<f32>>(self) {
        M::multiply(self.a, self.b, self.sums, self.pieces);
    }
}

/// The rows of a tile, each by its list.
struct Accumulate<'a> {
    a: &'a [f32],
    b: &'a [f32],
    sums: &'a mut Tile<f32>,
}

impl Kernel<f32> for Accumulate<'_> {
    #[inline(always)]
    fn run<M: Microkernel<f32>>(self) {
        let depth = self.a.len() / MR;
        let rows: Vec<f32> =
            (0..self.a.len()).map(|i| self.a[i % depth.max(1) * MR + i / depth.max(1)]).collect();
        let mut lists = Lists::new(MR, depth);
        for (row, mut list) in rows.chunks(depth.max(1)).zip(lists.rows_mut()) {
            list.take::<M>(row);
        }
        for (i, sums) in self.sums.iter_mut().enumerate().take(if depth == 0 { 0 } else { MR }) {
            for block in 0..lists.blocks() {
                M::accumulate(lists.list(i, block), self.b, sums);
            }
        }
    }
}

/// What one term after the other gives: rounded once where the instruction set has FMA.
fn in_order(set: InstructionSet, a: f32, b: f32, sum: f32) -> f32 {
    if set == InstructionSet::Portable { multiply_add(a, b, sum) } else { a.mul_add(b, sum) }
}

/// All instruction sets of this machine, dense or by lists, give the bits of one term after the other.
#[test]
fn sums_are_added_up_in_order_in_any_vectors() {
    for set in InstructionSet::ALL {
        if !set.is_available() {
            println!("SKIPPED: this processor has no {}", set.name());
            continue;
        }
        for depth in [0, 1, 7, 40, 301, 700] {
            // Every third line is 0; some zeros are negative, some values subnormal.
            let wave = |i: usize| match (i / MR) % 3 {
                0 => {
                    if i.is_multiple_of(2) {
                        0.0
                    } else {
                        -0.0
                    }
                }
                1 if i.is_multiple_of(5) => 1e-41,
                _ => (i as f32 * 0.7).sin(),
            };
            let a: Vec<f32> = (0..depth * MR).map(wave).collect();
            let b: Vec<f32> = (0..depth * NR).map(|i| (i as f32 * 0.3).cos()).collect();
            let lines: Vec<&[f32]> = a.chunks(MR).collect();
            let mut expected = [[0.5; NR]; MR];
            for (i, sums) in expected.iter_mut().enumerate() {
                for (j, sum) in sums.iter_mut().enumerate() {
                    *sum = (0..depth).fold(0.5, |sum, k| in_order(set, a[k * MR + i], b[k * NR + j], sum));
                }
            }
            let check = |sums: &Tile<f32>, how: &str| {
                let bits =
                    |tile: &Tile<f32>| tile.as_flattened().iter().map(|x| x.to_bits()).collect::<Vec<_>>();
                assert!(bits(sums) == bits(&expected), "{}, depth {depth}, {how}", set.name());
            };
            for skip_zeros in [false, true] {
                let mut memory = MicroPanels::default();
                let mut packed: Vec<_> =
                    memory.room(1, depth).map(|panel| (Columns::From(0), panel)).collect();
                pack_columns_of_rows(&lines, &mut packed, skip_zeros);
                let mut sums = [[0.5; NR]; MR];
                let mut pieces = Pieces(Vec::new());
                let micro_panel = memory.micro_panel(0);
                set.run(Multiply { a: micro_panel, b: &b, sums: &mut sums, pieces: &mut pieces });
                let left = if skip_zeros { depth - depth.div_ceil(3) } else { depth };
                assert_eq!(micro_panel.values().len(), left);
                assert_eq!(pieces.0, (0..16).collect::<Vec<_>>());
                check(&sums, if skip_zeros { "without lines of zeros" } else { "dense" });
            }
            let mut sums = [[0.5; NR]; MR];
            set.run(Accumulate { a: &a, b: &b, sums: &mut sums });
            check(&sums, "by lists");
        }
    }
}
