class Tideover: pass
