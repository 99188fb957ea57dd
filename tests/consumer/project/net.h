/* A network of one layer, enough to see that the installed library runs. */
static const char kNet[] =
    "7767517\n"
    "2 2\n"
    "Input in 0 1 in\n"
    "ReLU relu 1 1 in out\n";
