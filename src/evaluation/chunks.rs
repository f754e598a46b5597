//! Rows in chunks of equal size, so that the memory of an evaluation does not grow with the data set. Buffers of a chunk
//! are made when it is measured and given back afterwards: training does not hold them.

/// Rows of a chunk, and where each chunk of that size begins: full chunks, then one for the rest.
pub(super) fn chunks(rows: usize, chunk: usize) -> impl Iterator<Item = (usize, Vec<usize>)> {
    let chunk = chunk.clamp(1, rows.max(1));
    let full = rows / chunk;
    let rest = rows - full * chunk;
    let starts = (0..full).map(|index| index * chunk).collect();
    [(chunk, starts), (rest, vec![full * chunk])].into_iter().filter(move |(size, _)| *size > 0 && rows > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(rows: usize, chunk: usize) -> Vec<(usize, Vec<usize>)> {
        chunks(rows, chunk).collect()
    }

    #[test]
    fn every_row_is_in_one_chunk() {
        assert_eq!(all(10, 4), [(4, vec![0, 4]), (2, vec![8])]);
        assert_eq!(all(8, 4), [(4, vec![0, 4])]);
        assert_eq!(all(3, 4), [(3, vec![0])]);
        assert_eq!(all(3, 0), [(1, vec![0, 1, 2])]);
        assert_eq!(all(0, 4), []);
    }
}
