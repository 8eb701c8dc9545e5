package main

import (
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"text/tabwriter"
)

// series is what one contestant reached, a value a round.
type series struct {
	name   string
	values []float64
	faults int // questions not answered well, in all rounds
}

// goal compares two contestants: how many times over's figure the first one's should be. Without
// want the ratio is shown for information.
type goal struct {
	row        string // of the design's table of goals
	this, over string
	want       float64
	how        comparison
}

type comparison string

const (
	atLeast comparison = ">="
	atMost  comparison = "<="
)

// printTable shows each contestant's median and range, then the goals' ratios.
func printTable(title string, results []series, goals []goal) {
	fmt.Printf("\n%s\n", title)
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tmedian\tlowest\thighest\tfaults\t")
	for _, s := range results {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t\n", pad(s.name, results), figure(median(s.values)), figure(slices.Min(s.values)), figure(slices.Max(s.values)), s.faults)
	}
	_ = w.Flush()
	if len(goals) == 0 {
		return
	}
	w = tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ratio (in a round)\tmedian\tlowest\thighest\tgoal\trow\t")
	for _, g := range goals {
		r := ratios(find(results, g.this), find(results, g.over))
		if len(r) == 0 {
			continue
		}
		m, verdict := median(r), ""
		if g.want > 0 {
			verdict = fmt.Sprintf("%s %.2f: %s", g.how, g.want, reached(m, g))
		}
		fmt.Fprintf(w, "%s / %s\t%.2f\t%.2f\t%.2f\t%s\t%s\t\n", g.this, g.over, m, slices.Min(r), slices.Max(r), verdict, g.row)
	}
	_ = w.Flush()
}

func reached(ratio float64, g goal) string {
	// A ratio is shown with two digits and judged as it is shown.
	ratio = math.Round(ratio*100) / 100
	if g.how == atLeast && ratio >= g.want || g.how == atMost && ratio <= g.want {
		return "reached"
	}
	return "MISSED"
}

func find(results []series, name string) series {
	for _, s := range results {
		if s.name == name {
			return s
		}
	}
	return series{}
}

// ratios divides round by round.
func ratios(a, b series) []float64 {
	var r []float64
	for i := range min(len(a.values), len(b.values)) {
		r = append(r, a.values[i]/b.values[i])
	}
	return r
}

func median(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n == 0 {
		return math.NaN()
	}
	return (v[(n-1)/2] + v[n/2]) / 2
}

// figure is a number short enough to be read.
func figure(v float64) string {
	if v >= 100 {
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// pad aligns names to the left in a table aligned to the right.
func pad(name string, results []series) string {
	width := 0
	for _, s := range results {
		width = max(width, len(s.name))
	}
	return fmt.Sprintf("%-*s", width, name)
}
