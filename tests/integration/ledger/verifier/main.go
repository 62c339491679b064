// Checks a log with nobody's code but the Go project's: signed notes, tiles and proofs of golang.org/x/mod.
// Usage: verifier VKEY FOLDER [OLD-CHECKPOINT], FOLDER being the log's objects as files.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

type folder string

func (f folder) Height() int { return height }

func (f folder) SaveTiles([]tlog.Tile, [][]byte) {}

// ReadTiles reads tiles of tlog-tiles, whose paths leave out the height that those of the checksum database have.
func (f folder) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		path := "tile/" + strings.TrimPrefix(tile.Path(), fmt.Sprintf("tile/%d/", height))
		data, err := os.ReadFile(filepath.Join(string(f), path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func must[T any](value T, err error) T {
	if err != nil {
		fmt.Println("REFUSED:", err)
		os.Exit(1)
	}
	return value
}

func refuse(format string, arguments ...any) { must(0, fmt.Errorf(format, arguments...)) }

func checkpoint(path string, verifier note.Verifier) tlog.Tree {
	opened := must(note.Open(must(os.ReadFile(path)), note.VerifierList(verifier)))
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		refuse("not a checkpoint of %s", verifier.Name())
	}
	var root tlog.Hash
	copy(root[:], must(base64.StdEncoding.DecodeString(lines[2])))
	return tlog.Tree{N: must(strconv.ParseInt(lines[1], 10, 64)), Hash: root}
}

func bundle(log folder, number int64, width int) [][]byte {
	tile := tlog.Tile{H: height, L: -1, N: number, W: width}
	path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/data/", height), "tile/entries/", 1)
	data := must(os.ReadFile(filepath.Join(string(log), path)))
	var entries [][]byte
	for len(data) > 0 {
		size := int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:2+size])
		data = data[2+size:]
	}
	return entries
}

func main() {
	verifier := must(note.NewVerifier(os.Args[1]))
	log := folder(os.Args[2])
	tree := checkpoint(filepath.Join(os.Args[2], "checkpoint"), verifier)
	hashes := tlog.TileHashReader(tree, log)
	for first := int64(0); first < tree.N; first += 1 << height {
		width := int(min(tree.N-first, 1<<height))
		entries := bundle(log, first>>height, width)
		if len(entries) != width {
			refuse("bundle %d has %d entries, not %d", first>>height, len(entries), width)
		}
		var places []int64
		for position := range entries {
			places = append(places, tlog.StoredHashIndex(0, first+int64(position)))
		}
		leaves := must(hashes.ReadHashes(places))
		for position, entry := range entries {
			index, leaf := first+int64(position), leaves[position]
			if leaf != tlog.RecordHash(entry) {
				refuse("entry %d is not the tree's", index)
			}
			if index%97 == 0 {
				proof := must(tlog.ProveRecord(tree.N, index, hashes))
				must(0, tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaf))
			}
		}
	}
	if len(os.Args) > 3 {
		old := checkpoint(os.Args[3], verifier)
		proof := must(tlog.ProveTree(tree.N, old.N, hashes))
		must(0, tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash))
	}
	fmt.Println("ACCEPTED", tree.N, "entries")
}
