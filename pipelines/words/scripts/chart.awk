# The first TOP words as bars.
BEGIN { top = ENVIRON["TOP"]; height = 20 }
NR <= top {
  number[NR] = $1
  word[NR] = $2
  if ($1 > most) most = $1
}
END {
  rows = NR < top ? NR : top
  printf "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"480\" height=\"%d\" ", rows * height + 20
  print "font-family=\"sans-serif\" font-size=\"13\">"
  print "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
  for (i = 1; i <= rows; i++) {
    y = 10 + (i - 1) * height
    width = 330 * number[i] / most
    printf "<text x=\"90\" y=\"%d\" text-anchor=\"end\">%s</text>\n", y + 14, word[i]
    printf "<rect x=\"100\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#4878a8\"/>\n", y + 3, width, height - 6
    printf "<text x=\"%.1f\" y=\"%d\">%d</text>\n", 106 + width, y + 14, number[i]
  }
  print "</svg>"
}
