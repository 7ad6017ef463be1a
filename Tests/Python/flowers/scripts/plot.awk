BEGIN { RS = "[,{}]"; print "<svg xmlns='http://www.w3.org/2000/svg' width='200' height='100'>" }
/"[0-9.]+": *[0-9.]+/ {
  split($0, part, /[":]+/)
  printf "<rect x='%d' y='%d' width='30' height='%d'><title>%s</title></rect>\n", 10 + 45 * n++, 100 - 100 * part[3], 100 * part[3], part[2]
}
END { print "</svg>" }
