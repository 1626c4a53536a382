package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/hashicorp/raft"
	snapshot "github.com/hashicorp/raft-snapshot"
)

// writeTar makes the tar of every archive; it is not exported.
//
//go:linkname writeTar github.com/hashicorp/raft-snapshot.write
func writeTar(out io.Writer, metadata *raft.SnapshotMeta, snap io.Reader, sealer snapshot.Sealer) error

// sealer stands in for Vault's, whose seals no other program can check.
type sealer struct{}

func (sealer) Seal(_ context.Context, sums []byte) ([]byte, error) {
	sum := sha256.Sum256(sums)
	return sum[:], nil
}

func (sealer) Open(context.Context, []byte) ([]byte, error) {
	return nil, errors.New("this sealer opens nothing")
}

type writeArchiveArgs struct {
	openArgs
	Path string `json:"path"`
	// Level is that of compress/gzip; Vault writes 0, which stores.
	Level int `json:"level"`
	// Sealed asks for Vault's fourth member.
	Sealed bool `json:"sealed"`
}

// writeArchive makes an archive of a snapshot in one of Go's stores.
func writeArchive(args writeArchiveArgs) (bool, error) {
	packed, err := args.pack()
	if err != nil {
		return false, err
	}
	file, err := os.Create(args.Path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	compressor, err := gzip.NewWriterLevel(file, args.Level)
	if err != nil {
		return false, err
	}
	if _, err := compressor.Write(packed); err != nil {
		return false, err
	}
	return true, compressor.Close()
}

// pack makes the tar until it lists meta.json first in SHA256SUMS, because the
// order is that of a Go map, which varies.
func (args writeArchiveArgs) pack() ([]byte, error) {
	for {
		var packed bytes.Buffer
		if err := args.packOnce(&packed); err != nil {
			return nil, err
		}
		meta := bytes.Index(packed.Bytes(), []byte("  meta.json\n"))
		state := bytes.LastIndex(packed.Bytes(), []byte("  state.bin\n"))
		if meta < state {
			return packed.Bytes(), nil
		}
	}
}

func (args writeArchiveArgs) packOnce(out io.Writer) error {
	store, err := args.open()
	if err != nil {
		return err
	}
	meta, state, err := store.Open(args.ID)
	if err != nil {
		return err
	}
	defer state.Close()
	if args.Sealed {
		return writeTar(out, meta, state, sealer{})
	}
	return writeTar(out, meta, state, nil)
}

type archiveArgs struct {
	Path string `json:"path"`
}

// readArchive has raft-snapshot verify an archive, and then parse it.
func readArchive(args archiveArgs) (openAnswer, error) {
	file, err := os.Open(args.Path)
	if err != nil {
		return openAnswer{}, err
	}
	defer file.Close()
	if _, err := snapshot.Verify(file); err != nil {
		return openAnswer{}, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return openAnswer{}, err
	}
	var state bytes.Buffer
	meta, err := snapshot.Parse(file, &state)
	if err != nil {
		return openAnswer{}, err
	}
	sum := sha256.Sum256(state.Bytes())
	return openAnswer{toWire(fileMeta{SnapshotMeta: *meta}), int64(state.Len()), sum[:]}, nil
}

type acceptAnswer struct {
	// The error of each function for the archive; empty when it accepts it.
	Verify          string `json:"verify"`
	Parse           string `json:"parse"`
	WriteToTempFile string `json:"writeToTempFile"`
}

// acceptArchive asks each of raft-snapshot's readers whether it takes an archive;
// its Restore uses WriteToTempFile.
func acceptArchive(args archiveArgs) (acceptAnswer, error) {
	content, err := os.ReadFile(args.Path)
	if err != nil {
		return acceptAnswer{}, err
	}
	_, verifyErr := snapshot.Verify(bytes.NewReader(content))
	_, parseErr := snapshot.Parse(bytes.NewReader(content), io.Discard)
	var meta raft.SnapshotMeta
	_, cleanUp, writeErr := snapshot.WriteToTempFile(logger(), bytes.NewReader(content), &meta)
	if writeErr == nil {
		cleanUp()
	}
	return acceptAnswer{
		Verify:          textOf(verifyErr),
		Parse:           textOf(parseErr),
		WriteToTempFile: textOf(writeErr),
	}, nil
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

type headersArgs struct {
	Name string `json:"name"`
	// Sizes and times in seconds.
	Sizes    []uint64String `json:"sizes"`
	Modified []uint64String `json:"modified"`
}

// writeHeaders gives the headers of members of these sizes and times: those of
// states that are too long for a test to write.
func writeHeaders(args headersArgs) ([][]byte, error) {
	var headers [][]byte
	for _, size := range args.Sizes {
		for _, modified := range args.Modified {
			var header bytes.Buffer
			if err := tar.NewWriter(&header).WriteHeader(&tar.Header{
				Name:    args.Name,
				Mode:    0600,
				Size:    int64(size),
				ModTime: time.Unix(int64(modified), 0),
			}); err != nil {
				return nil, err
			}
			headers = append(headers, header.Bytes())
		}
	}
	return headers, nil
}

type nodeArchiveArgs struct {
	nodeArgs
	archiveArgs
}

// snapshotToArchive has a node take a snapshot, as Consul does for its clients.
func snapshotToArchive(args nodeArchiveArgs) (bool, error) {
	n, err := args.find()
	if err != nil {
		return false, err
	}
	file, err := os.Create(args.Path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	return true, snapshot.Write(logger(), n.raft, nil, file)
}

// restoreFromArchive has a node take over the state in an archive.
func restoreFromArchive(args nodeArchiveArgs) (bool, error) {
	n, err := args.find()
	if err != nil {
		return false, err
	}
	file, err := os.Open(args.Path)
	if err != nil {
		return false, err
	}
	defer file.Close()
	return true, snapshot.Restore(logger(), file, n.raft)
}
