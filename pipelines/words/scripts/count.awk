# Words of a text with their numbers: "word<TAB>number", in no order.
{
  gsub(/[^A-Za-z]+/, " ")
  for (i = 1; i <= NF; i++) number[tolower($i)]++
}
END { for (word in number) printf "%s\t%d\n", word, number[word] }
