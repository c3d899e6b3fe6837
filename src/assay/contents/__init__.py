"""What SBOMs list against what the layers of an image hold.

`plan` finds out which SBOMs there may be and what has to be kept of the layers, before they are
read; `account` compares, once it is known which SBOMs are vouched for.
"""
