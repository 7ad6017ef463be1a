# Adds up the numbers of several texts: "number<TAB>word", in no order.
{ number[$1] += $2 }
END { for (word in number) printf "%d\t%s\n", number[word], word }
