// Package search finds short documents by what people write: Korean and English words, whatever their spacing, and with slips of the pen.
package search
