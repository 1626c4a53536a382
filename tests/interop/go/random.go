package main

import (
	"encoding/binary"
	"hash/crc64"
)

// random is the sequence of tests/support/random.ts: both sides make the same
// bytes from a seed, so that megabytes need not pass between them.
type random struct{ state uint32 }

func newRandom(seed uint32) *random {
	mixed := ((seed ^ (seed >> 16)) + 0x9e3779b9) * 0x85ebca6b
	state := mixed ^ (mixed >> 13)
	if state == 0 {
		state = 1
	}
	return &random{state}
}

func (r *random) next() uint32 {
	r.state ^= r.state << 13
	r.state ^= r.state >> 17
	r.state ^= r.state << 5
	return r.state
}

func (r *random) integer(below int) int {
	return int(uint64(r.next()) * uint64(below) >> 32)
}

func (r *random) bytes(length int) []byte {
	words := make([]byte, (length+3)/4*4)
	for at := 0; at < len(words); at += 4 {
		binary.LittleEndian.PutUint32(words[at:], r.next())
	}
	return words[:length]
}

// content names the bytes of a state: the first so many of a seed.
type content struct {
	Seed   uint32 `json:"seed"`
	Length int    `json:"length"`
}

func (c content) bytes() []byte { return newRandom(c.Seed).bytes(c.Length) }

var ecma = crc64.MakeTable(crc64.ECMA)

type crcArgs struct {
	Contents []content `json:"contents"`
}

func crcOfRandom(args crcArgs) ([]uint64String, error) {
	sums := make([]uint64String, len(args.Contents))
	for i, c := range args.Contents {
		sums[i] = uint64String(crc64.Checksum(c.bytes(), ecma))
	}
	return sums, nil
}

// crcBytes is the CRC as it stands in a meta.json.
func crcBytes(data []byte) []byte {
	return binary.BigEndian.AppendUint64(nil, crc64.Checksum(data, ecma))
}
