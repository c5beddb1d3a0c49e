package manifest

// Nearest returns the candidate that s was most probably meant to be, or "" when none is near: at most a third of its
// characters may differ (Levenshtein distance, with a swap of neighbours as one step).
func Nearest(s string, candidates []string) string {
	best, bestDistance := "", 1<<30
	word := []rune(s)
	limit := max(1, len(word)/3)
	for _, c := range candidates {
		other := []rune(c)
		if d := len(word) - len(other); d > limit || -d > limit {
			continue
		}
		if d := distance(word, other); d <= limit && d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// distance is the optimal string alignment distance of a and b.
func distance(a, b []rune) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
