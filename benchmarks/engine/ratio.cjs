// The metric of fuzzy_match for promptfoo, which has none of its own: twice the longest common
// subsequence of the two texts' characters over their lengths.
module.exports = (output, { vars }) => {
  const ours = Array.from(output);
  const theirs = Array.from(vars.reference_answer);
  const row = new Array(theirs.length + 1).fill(0);
  for (const character of ours) {
    let diagonal = 0;
    for (let j = 1; j <= theirs.length; j++) {
      const above = row[j];
      row[j] = character === theirs[j - 1] ? diagonal + 1 : Math.max(above, row[j - 1]);
      diagonal = above;
    }
  }
  const total = ours.length + theirs.length;
  return total ? (2 * row[theirs.length]) / total : 1;
};
