"""Made-up composes, at any size: written as a real compose server lays them out."""
