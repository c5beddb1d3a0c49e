package keys

import (
	"crypto/aes"
	"fmt"
)

// dense numbers are those that stay among themselves: as many as people may live in a city.
const dense = 1 << 24

// aliasRounds is more than the four that make a Feistel network of good round functions look random to who may ask for both ways (Luby and Rackoff 1988),
// for these halves are short.
const aliasRounds = 10

// openAliases derives the key of aliases.
func (r *Ring) openAliases() error {
	key, err := r.index.ComputePrimaryPRF([]byte("key of aliases"), 16)
	if err == nil {
		r.aliases, err = aes.NewCipher(key)
	}
	if err != nil {
		return fmt.Errorf("open the keys: %s: %w", indexFile, err)
	}
	return nil
}

// Alias is another number in a number's place, the same each time; each has its own, and without the keys nobody can tell of whom. Aliases of numbers
// below 2^24 are below it too, so that sets of them stay small; only 0 has the alias 0.
func (r *Ring) Alias(n uint32) uint32 {
	switch {
	case n == 0:
		return 0
	case n < dense:
		for {
			if n = r.feistel(n, 12); n != 0 { // what has become 0 goes on: so no two meet
				return n
			}
		}
	}
	for {
		if n = r.feistel(n, 16); n >= dense {
			return n
		}
	}
}

// feistel permutes the numbers of two halves of so many bits each.
func (r *Ring) feistel(n uint32, bits byte) uint32 {
	mask := uint32(1)<<bits - 1
	left, right := n>>bits, n&mask
	var block [aes.BlockSize]byte
	for round := range byte(aliasRounds) {
		clear(block[:])
		block[0], block[1], block[2], block[3] = bits, round, byte(right>>8), byte(right)
		r.aliases.Encrypt(block[:], block[:])
		left, right = right, left^(uint32(block[0])<<8|uint32(block[1]))&mask
	}
	return left<<bits | right
}
