// Command tsdbdump writes every sample of a TSDB directory, bit for bit, to standard output.
//
// The directory is opened read-only, write-ahead logs included: a stopped Prometheus' data directory, or one
// tenant's directory of Thanos Receive. The output is a row of prometheus.TimeSeries messages (prompb), each
// behind its length as a varint: floats keep their NaN payloads, so stale markers can be told from other NaNs.
package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/prompb"
	"github.com/prometheus/prometheus/storage"
	"github.com/prometheus/prometheus/tsdb"
	"github.com/prometheus/prometheus/tsdb/chunkenc"
)

func main() {
	scratch := flag.String("scratch", os.TempDir(), "directory for links to the head's chunk files; same file system as DIR")
	from := flag.Int64("from", math.MinInt64, "first timestamp, in ms")
	to := flag.Int64("to", math.MaxInt64, "last timestamp, in ms")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "usage: tsdbdump [-from MS] [-to MS] [-scratch DIR] DIR")
		os.Exit(2)
	}
	out := bufio.NewWriterSize(os.Stdout, 1<<20)
	err := dump(flag.Arg(0), *scratch, *from, *to, out)
	if err = errors.Join(err, out.Flush()); err != nil {
		fmt.Fprintln(os.Stderr, "tsdbdump:", err)
		os.Exit(1)
	}
}

func dump(dir, scratch string, from, to int64, out io.Writer) (err error) {
	db, err := tsdb.OpenDBReadOnly(dir, scratch, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	querier, err := db.Querier(from, to)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, querier.Close()) }()

	set := querier.Select(context.Background(), true, nil, labels.MustNewMatcher(labels.MatchRegexp, "", ".*"))
	var samples chunkenc.Iterator
	for set.Next() {
		series, it, err := read(set.At(), samples)
		if err != nil {
			return err
		}
		samples = it
		if err := write(out, series); err != nil {
			return err
		}
	}
	return set.Err()
}

func read(series storage.Series, reuse chunkenc.Iterator) (*prompb.TimeSeries, chunkenc.Iterator, error) {
	message := &prompb.TimeSeries{Labels: prompb.FromLabels(series.Labels(), nil)}
	it := series.Iterator(reuse)
	for kind := it.Next(); kind != chunkenc.ValNone; kind = it.Next() {
		switch kind {
		case chunkenc.ValFloat:
			t, v := it.At()
			message.Samples = append(message.Samples, prompb.Sample{Timestamp: t, Value: v})
		case chunkenc.ValHistogram:
			t, h := it.AtHistogram(nil)
			message.Histograms = append(message.Histograms, prompb.FromIntHistogram(t, h))
		case chunkenc.ValFloatHistogram:
			t, h := it.AtFloatHistogram(nil)
			message.Histograms = append(message.Histograms, prompb.FromFloatHistogram(t, h))
		default:
			return nil, nil, fmt.Errorf("%s holds a value of unknown kind %v", series.Labels(), kind)
		}
	}
	return message, it, it.Err()
}

func write(out io.Writer, series *prompb.TimeSeries) error {
	body, err := series.Marshal()
	if err != nil {
		return err
	}
	if _, err := out.Write(binary.AppendUvarint(nil, uint64(len(body)))); err != nil {
		return err
	}
	_, err = out.Write(body)
	return err
}
